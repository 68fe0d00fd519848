import CLinux
import Glibc
import Linux
import MailbootCore

/// The door held shut: a lock on a file for which the units wait that take mail from the world (`packaging/hold-door`).
///
/// What counts is the lock and one word. Whoever waits goes on when the lock is free and the file says `open`; a lock that became
/// free in any other way, be it by a kill, shuts the door for good. So a run need not live to keep it shut.
final class DoorHold {
  static let path = "/run/mailboot/door"
  /// As long as each other: the second takes no new room, of which `/run` may have none.
  private static let (shutWord, openWord) = ("shut\n", "open\n")
  private let path: String
  private var descriptor: Int32
  /// Told by the kernel when somebody comes to wait; inotify(7). -1: there are too many watches already, and it is looked for.
  private var arrivals: Int32 = -1

  /// Takes it, also one that a killed run has left behind. Only one run at a time may: whoever holds the run's lock.
  /// - Parameter reactor: to wait with until those have gone who saw the earlier one end.
  init(path: String = DoorHold.path, reactor: Reactor) throws(Failure) {
    self.path = path
    // 0600: whoever may open it could keep the door shut.
    descriptor = mb_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .system("\(path): \(errnoText())") }
    let deadline = Reactor.monotonic() + 5
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK, Reactor.monotonic() < deadline else {
        let text = errnoText()
        release()
        throw .system("\(path): \(text)")
      }
      try reactor.sleep(seconds: 0.02)
    }
    arrivals = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    if arrivals >= 0, inotify_add_watch(arrivals, path, UInt32(IN_OPEN)) < 0 {
      close(arrivals)
      arrivals = -1
    }
    guard ftruncate(descriptor, 0) == 0, write(Self.shutWord) else {
      let text = errnoText()
      shut()
      throw .system("\(path): \(text)")
    }
  }

  private func write(_ word: String) -> Bool {
    let bytes = Array(word.utf8)
    return pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
  }

  deinit { release() }

  /// Lets whoever waits go on. Whoever comes later finds no hold.
  func open() throws(Failure) {
    guard write(Self.openWord) else { throw .system("\(path): \(errnoText())") }
    shut()
  }

  /// Lets go of it: unless it was opened, whoever waits fails. Whoever comes later finds no hold.
  func shut() {
    Self.clear(path)
    release()
  }

  private func release() {
    for descriptor in [descriptor, arrivals] where descriptor >= 0 { close(descriptor) }
    (descriptor, arrivals) = (-1, -1)
  }

  /// For `poll(2)`: somebody has come.
  var entry: pollfd { pollfd(fd: arrivals, events: Int16(POLLIN), revents: 0) }

  /// Whether somebody has come since the last call.
  func hasArrivals() -> Bool {
    var came = false
    var buffer = [UInt8](repeating: 0, count: 4096)
    while buffer.withUnsafeMutableBytes({ read(arrivals, $0.baseAddress, $0.count) }) > 0 { came = true }
    return came
  }

  /// Takes away what a killed run has left behind: a unit may then start without waiting.
  static func clear(_ path: String = DoorHold.path) { unlink(path) }
}
