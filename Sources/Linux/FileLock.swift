import CLinux
import Glibc

/// A lock that one process at a time holds, until this value is gone or the process ends.
public struct FileLock: ~Copyable {
  private let descriptor: Int32

  /// Takes the lock, without waiting.
  ///
  /// - Parameter path: made if it is not there, readable by its owner alone: whoever may open it could hold it.
  /// - Returns: nil when another process has it.
  public static func taken(_ path: String) throws(SystemError) -> FileLock? {
    let descriptor = mb_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw SystemError(path, errno: errno) }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return FileLock(descriptor: descriptor) }
    let code = errno
    close(descriptor)
    guard code == EWOULDBLOCK else { throw SystemError(path, errno: code) }
    return nil
  }

  deinit { close(descriptor) }
}
