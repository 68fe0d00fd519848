import CLinux
import Glibc
import Linux
import MailbootCore

/// Makes one directory the same as another, with rsync: owners by number, modes, times, hard links, ACLs, extended attributes, holes.
struct TreeCopy {
  static let program = "/usr/bin/rsync"
  let from: String
  let to: String
  /// What is to be done when `to` is full.
  let adviceIfFull: String
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
      // Times by the nanosecond: what has changed in the second of its copy, and kept its size, would be taken for copied.
      "--modify-window=-1",
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
  ///   - readsAll: also files of the same size and time are compared in full. After a power cut such a file may have nothing of its
  ///     content: names and sizes are on the disk before it (seen with ext4).
  ///   - progress: what rsync says of how far it is.
  func copy(isLive: Bool, readsAll: Bool = false, progress: (String) -> Void) throws(Failure) {
    let child = try startChild(
      arguments + (readsAll ? ["--checksum"] : []) + ["--info=progress2", from + "/", to + "/"])
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
      // rsync calls this a partial transfer, too.
      if Self.isFull(child.errorOutput) {
        throw .usage("the new vault is full: the copy is not complete", hint: adviceIfFull)
      }
      throw .system("the copy is not complete: " + (said.isEmpty ? "rsync was ended" : said.joined(separator: "; ")))
    }
  }

  static func isFull(_ said: String) -> Bool {
    said.contains(errnoText(ENOSPC)) || said.contains(errnoText(EDQUOT))
  }

  /// Whether an earlier copy has left anything.
  func hasBegun() throws(Failure) -> Bool {
    let child = try startChild(["/usr/bin/find", to, "-xdev", "-type", "f", "-print", "-quit"])
    guard try child.run(reactor, until: nil) == .exited(0) else {
      throw .system("\(to) cannot be read: " + (child.errorOutput.split(separator: "\n").last ?? ""))
    }
    return !child.output.isEmpty
  }

  /// How much there is, and how much goes there. A copy that was cut is gone on with, so what it has left counts as room.
  /// - Parameter sharesHost: `to` lies in the host's own file system.
  func room(sharesHost: Bool) throws(Failure) -> MoveRoom {
    var space = statvfs()
    guard statvfs(to, &space) == 0 else { throw .system("\(to): \(errnoText())") }
    // btrfs has no number of inodes.
    let isCounted = space.f_files > 0
    let there = try taken(by: to, withInodes: isCounted)
    return MoveRoom(
      content: try taken(by: from, withInodes: isCounted),
      room: .init(
        bytes: UInt64(space.f_bavail) * UInt64(space.f_frsize) + there.bytes,
        inodes: there.inodes.map { UInt64(space.f_favail) + $0 }), sharesHost: sharesHost)
  }

  private func taken(by directory: String, withInodes: Bool) throws(Failure) -> MoveRoom.Amount {
    .init(
      bytes: try sum(["--block-size=1"], directory), inodes: withInodes ? try sum(["--inodes"], directory) : nil)
  }

  private func sum(_ options: [String], _ directory: String) throws(Failure) -> UInt64 {
    let child = try startChild(["/usr/bin/du", "--summarize", "--one-file-system"] + options + [directory])
    _ = try child.run(reactor, until: nil)
    // What vanishes meanwhile makes it fail, and is none the less in no sum.
    guard let sum = String(decoding: child.output, as: UTF8.self).split(separator: "\t").first.flatMap({ UInt64($0) })
    else { throw .system("\(directory) cannot be measured: " + (child.errorOutput.split(separator: "\n").last ?? "")) }
    return sum
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
