import CLinux
import Glibc

/// Postfix's own way to start without its checks: `postfix start` skips them once when `quick-start` lies in its queue directory
/// (`postfix-script` of 3.7; `postfix quick-stop` leaves that file). They are what `postfix check` runs, and after it has
/// passed they only keep port 25 closed longer: measured once emulated under load, 23 s of a start of 32 s.
///
/// Debian 13's unit runs `postfix check` before each start and then starts without another: there the file changes nothing, and the
/// start removes it.
struct PostfixQuickStart {
  private let path: String

  /// - Parameter queueDirectory: postfix's `queue_directory`, root's own.
  init(queueDirectory: String) {
    path = queueDirectory + "/quick-start"
  }

  /// Whether the next start will be a quick one. Failing is no trouble: then it is a slow one.
  func request() -> Bool {
    let descriptor = mb_open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return false }
    close(descriptor)
    return true
  }

  /// A start that never came to use it must not leave it for one that was not checked.
  func withdraw() { unlink(path) }
}
