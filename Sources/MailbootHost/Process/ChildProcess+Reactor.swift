import Glibc
import Linux
import MailbootCore

/// Starts a child; what keeps it from starting ends the run.
func startChild(
  _ arguments: [String], input: [UInt8] = [], inputDescriptor: Int32? = nil, descriptors: [Int32] = [],
  urgent: Bool = false
) throws(Failure) -> ChildProcess {
  do {
    return try ChildProcess(
      arguments, input: input, inputDescriptor: inputDescriptor, descriptors: descriptors, urgent: urgent)
  } catch {
    throw Failure(error)
  }
}

/// Children that are waited for together with a person's signals.
extension ChildProcess {
  /// Waits for its end at most until `deadline`, whatever state it is in: one that the kernel holds is killed and left behind, for
  /// it to end when it can.
  /// - Returns: whether it has ended.
  func runOrLeave(_ reactor: Reactor, until deadline: Double) throws(Failure) -> Bool {
    while !pump() {
      guard Reactor.monotonic() < deadline else {
        leave()
        return false
      }
      var descriptors = pollDescriptors
      let look = processDescriptor < 0 ? Reactor.monotonic() + 0.05 : deadline
      try reactor.wait(&descriptors, until: min(deadline, look))
    }
    return true
  }

  /// Waits for its end, however long that takes, and hands over each line that it writes to standard error as it comes.
  /// - Throws: `.interrupted`; it is ended then.
  func run(_ reactor: Reactor, line: (Substring) -> Void) throws(Failure) {
    var seen = 0
    while true {
      let hasEnded = pump()
      let lines = errorOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      for next in lines.dropFirst(seen) { line(next) }
      seen = max(seen, lines.count)
      if hasEnded { return }
      var descriptors = pollDescriptors
      do {
        try reactor.wait(&descriptors, until: processDescriptor < 0 ? Reactor.monotonic() + 0.05 : nil)
      } catch {
        killAndReap()
        throw error
      }
    }
  }

  /// Waits for its end; past `deadline` (monotonic seconds) it is killed.
  /// - Throws: `.interrupted` (it is killed then, too).
  func run(_ reactor: Reactor, until deadline: Double?) throws(Failure) -> End {
    while !pump() {
      if let deadline, Reactor.monotonic() >= deadline { killAndReap() }
      var descriptors = pollDescriptors
      do {
        // Without pidfd_open (kernels before 5.3) its end is seen by looking.
        let look = processDescriptor < 0 ? Reactor.monotonic() + 0.05 : nil
        try reactor.wait(&descriptors, until: [deadline, look].compactMap(\.self).min())
      } catch {
        killAndReap()
        throw error
      }
    }
    return end ?? .killed(signal: SIGKILL)
  }
}
