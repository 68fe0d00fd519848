import CLinux
import Glibc
import Linux

/// Asks a file system for its space, in a process of its own: a program that serves it through FUSE may never answer. Whoever waits for it
/// in the kernel cannot be killed, and a process with such a thread cannot even end.
final class SpaceQuestion {
  enum Answer {
    case space(statvfs)
    /// The kernel's errno: ENOTCONN when the program behind it has ended.
    case failed(Int32)
    /// Nothing within the time.
    case silent
  }

  /// Seconds within which whoever serves a mail host's files must have answered.
  static let patience = 2.0

  private let path: String
  /// One that is still open: it is not asked twice.
  private var pending: ChildProcess?

  init(_ path: String) {
    self.path = path
  }

  deinit { pending?.leave() }

  /// - Parameter patience: seconds to wait for the answer. A question that has gone unanswered already is waited for no longer.
  func answer(within patience: Double = SpaceQuestion.patience) -> Answer {
    let seconds = pending == nil ? patience : 0
    let child: ChildProcess
    if let pending {
      child = pending
    } else {
      // Block size, blocks, blocks for everybody, inodes, free inodes.
      let call = ["/usr/bin/stat", "--file-system", "--format=%S %b %a %c %d", "--", path]
      guard let begun = try? ChildProcess(call) else { return .failed(errno) }
      child = begun
    }
    pending = child
    let deadline = monotonicSeconds() + seconds
    while !child.pump() {
      let rest = deadline - monotonicSeconds()
      guard rest > 0 else { return .silent }
      var entries = child.pollDescriptors
      // Without pidfd_open (kernels before 5.3) its end is seen by looking.
      poll(&entries, nfds_t(entries.count), child.processDescriptor < 0 ? 20 : Int32(rest * 1000) + 1)
    }
    pending = nil
    return Self.answer(of: child)
  }

  private static func answer(of child: ChildProcess) -> Answer {
    let numbers = String(decoding: child.output, as: UTF8.self).split(whereSeparator: \.isWhitespace).map { UInt($0) }
    guard child.end == .exited(0), numbers.count == 5, !numbers.contains(nil) else {
      return .failed(code(in: child.errorOutput))
    }
    let known = numbers.compactMap(\.self)
    var space = statvfs()
    space.f_frsize = known[0]
    space.f_blocks = known[1]
    space.f_bavail = known[2]
    space.f_files = known[3]
    (space.f_ffree, space.f_favail) = (known[4], known[4])
    return .space(space)
  }

  /// The errno whose text ends the complaint.
  private static func code(in complaint: String) -> Int32 {
    let line = complaint.split(separator: "\n").first ?? ""
    return (1...133).first { line.hasSuffix(": " + errnoText($0)) } ?? EIO
  }
}
