import CLinux
import Glibc
import MailbootCore

/// The run that holds the lock, for an emergency that cannot wait for it.
struct LockHolder {
  let directory: RuntimeDirectory
  let reactor: Reactor
  /// Seconds it has to take back what it did: it stops what it started, unmounts and closes.
  var grace = 20.0

  /// Its process; nil when nobody holds the lock.
  func holder() -> Int32? { directory.lockHolder().flatMap { $0 > 1 && $0 != getpid() ? $0 : nil } }

  /// Asks it to end, as Ctrl-C would.
  func request(_ pid: Int32) {
    let descriptor = mb_pidfd_open(pid)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // The number may be another's by now.
    if holder() == pid { _ = mb_pidfd_send_signal(descriptor, SIGTERM) }
  }

  /// Waits for its end, and ends it by force when that does not come.
  func awaitEnd() throws(Failure) {
    let deadline = Reactor.monotonic() + grace
    while let pid = holder(), Reactor.monotonic() < deadline {
      request(pid)
      try reactor.sleep(seconds: 0.2)
    }
    guard let pid = holder() else { return }
    try ProcessEnding(reactor: reactor).end([pid], byForceAtOnce: true) { holder() == $0 }
  }
}
