import Glibc
import Linux
import MailbootCore

/// Makes one directory the same as another, with rsync: owners by number, modes, times, hard links, ACLs, extended attributes, holes.
struct TreeCopy {
  static let program = "/usr/bin/rsync"
  let from: String
  let to: String
  let reactor: Reactor

  static func requireProgram() throws(Failure) {
    guard access(program, X_OK) == 0 else {
      throw .usage("rsync, which copies, is not installed", hint: "`apt install rsync`")
    }
  }

  /// ext4 makes its own.
  private var arguments: [String] {
    [
      Self.program, "-aHAXS", "--numeric-ids", "--one-file-system", "--delete", "--exclude=/lost+found",
    ]
  }

  /// Directories in which another file system begins, a subvolume of btrfs among them: neither the copy nor who compares goes on there.
  func borders() throws(Failure) -> [String] {
    let child = try startChild(["/usr/bin/find", from, "-xdev", "-type", "d", "-printf", "%D %p\\0"])
    let end = try child.run(reactor, until: nil)
    // Others are at work there: what vanishes meanwhile is no border.
    guard end == .exited(0) || end == .exited(1) else { throw .system("\(from) cannot be looked through") }
    let entries = child.output.split(separator: 0).map { $0.split(separator: UInt8(ascii: " "), maxSplits: 1) }
    guard let own = entries.first?.first else { throw .system("\(from) cannot be looked through") }
    return entries.filter { $0.count == 2 && $0[0] != own }.map { String(decoding: $0[1], as: UTF8.self) }
  }

  /// - Parameters:
  ///   - isLive: others write meanwhile: what vanishes under way is no trouble.
  ///   - progress: what rsync says of how far it is.
  func copy(isLive: Bool, progress: (String) -> Void) throws(Failure) {
    let child = try startChild(
      arguments + ["--info=progress2", from + "/", to + "/"])
    while !child.pump() {
      let said = String(decoding: child.takeOutput(), as: UTF8.self)
      if let last = said.split(whereSeparator: { $0 == "\r" || $0 == "\n" }).last { progress(String(last)) }
      var descriptors = child.pollDescriptors
      do {
        try reactor.wait(&descriptors, until: nil)
      } catch {
        child.killAndReap()
        throw error
      }
    }
    switch child.end {
    case .exited(0)?: return
    // Files that vanished while it read.
    case .exited(24)? where isLive: return
    default:
      let said = child.errorOutput.split(separator: "\n").prefix(5).map(String.init)
      throw .system("the copy is not complete: " + (said.isEmpty ? "rsync was ended" : said.joined(separator: "; ")))
    }
  }

  /// Reads both sides in full.
  /// - Returns: what differs, at most some lines of it; empty: nothing does.
  func differences() throws(Failure) -> [String] {
    let child = try startChild(
      arguments + ["--checksum", "--dry-run", "--itemize-changes", from + "/", to + "/"])
    let end = try child.run(reactor, until: nil)
    let lines = String(decoding: child.output, as: UTF8.self).split(separator: "\n").map(String.init)
    guard end == .exited(0) else {
      throw .system("the copy cannot be verified: " + (child.errorOutput.split(separator: "\n").last ?? "rsync failed"))
    }
    return Array(lines.prefix(20))
  }

  /// How many of each type there are below a directory, such as `d 12, f 340`.
  func counts(of directory: String) throws(Failure) -> String {
    let child = try startChild(
      ["/usr/bin/find", directory, "-xdev", "-path", "\(directory)/lost+found", "-prune", "-o", "-printf", "%y"])
    guard try child.run(reactor, until: nil) == .exited(0) else {
      throw .system("\(directory) cannot be counted: " + (child.errorOutput.split(separator: "\n").last ?? ""))
    }
    var counts: [UInt8: Int] = [:]
    for byte in child.output { counts[byte, default: 0] += 1 }
    let names: [(Character, String)] = [
      ("d", "directories"), ("f", "files"), ("l", "links"), ("p", "FIFOs"), ("s", "sockets"), ("c", "devices"),
      ("b", "block devices"),
    ]
    return names.compactMap { letter, name in
      letter.asciiValue.flatMap { counts[$0] }.map { "\($0) \(name)" }
    }.joined(separator: ", ")
  }
}
