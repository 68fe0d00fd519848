import CLinux
import Glibc
import MailbootCore

/// Ends processes by their pidfd, so that a number given away meanwhile hits nobody else.
struct ProcessEnding {
  let reactor: Reactor
  /// Seconds from the request (SIGTERM) to force (SIGKILL), and again to the end.
  var grace = 5.0

  /// - Parameter stillMeant: looked at after the pidfd is open: whether the process of that number is one to end.
  /// - Returns: whether any process was there to end.
  /// - Throws: `.interrupted`; whoever was asked to end by then may do so.
  @discardableResult
  func end(_ pids: [Int32], byForceAtOnce: Bool = false, stillMeant: (Int32) -> Bool) throws(Failure) -> Bool {
    var open: [(pid: Int32, descriptor: Int32)] = []
    defer { for process in open { close(process.descriptor) } }
    for pid in pids where pid > 1 && pid != getpid() {
      let descriptor = mb_pidfd_open(pid)
      guard descriptor >= 0 else { continue }
      open.append((pid, descriptor))
      if !stillMeant(pid) { close(open.removeLast().descriptor) }
    }
    guard !open.isEmpty else { return false }
    if !byForceAtOnce {
      for process in open { _ = mb_pidfd_send_signal(process.descriptor, SIGTERM) }
      try wait(&open)
      // It may have left the vault and live on; a shell that ignores the request stays where it is.
      for process in open where !stillMeant(process.pid) {
        close(process.descriptor)
        open.removeAll { $0.descriptor == process.descriptor }
      }
    }
    for process in open { _ = mb_pidfd_send_signal(process.descriptor, SIGKILL) }
    try wait(&open)
    return true
  }

  /// Waits until all are gone or the grace is over; keeps those that are there.
  private func wait(_ open: inout [(pid: Int32, descriptor: Int32)]) throws(Failure) {
    let deadline = Reactor.monotonic() + grace
    while !open.isEmpty && Reactor.monotonic() < deadline {
      var descriptors = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      try reactor.wait(&descriptors, until: deadline)
      for (process, entry) in zip(open, descriptors) where entry.revents != 0 {
        close(process.descriptor)
        open.removeAll { $0.descriptor == process.descriptor }
      }
    }
  }
}
