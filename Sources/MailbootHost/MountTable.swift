import CLinux
import Glibc
import MailbootCore

/// One line of `/proc/self/mountinfo`, see proc(5).
struct MountEntry: Equatable {
  var device: String
  /// The directory within the file system that is mounted: `/` unless it is a bind mount of a part.
  var root: String
  var mountPoint: String
  var filesystem: String
  var source: String
}

struct MountTable {
  let entries: [MountEntry]

  init(parsing text: String) {
    entries = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: false)
      guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 2, dash >= 6 else { return nil }
      return MountEntry(
        device: String(fields[2]), root: unescaped(fields[3]), mountPoint: unescaped(fields[4]),
        filesystem: String(fields[dash + 1]), source: unescaped(fields[dash + 2]))
    }
  }

  /// The table of this process's mount namespace; nil without `/proc`.
  static func current() -> MountTable? {
    readSmallFile("/proc/self/mountinfo", limit: 16 << 20).map {
      MountTable(parsing: String(decoding: $0, as: UTF8.self))
    }
  }

  /// What is mounted on that very path, uppermost if several.
  func mount(on path: String) -> MountEntry? { entries.last { $0.mountPoint == path } }

  func status(of path: String) -> MountStatus? {
    guard let entry = mount(on: path) else { return nil }
    var space = statvfs()
    guard statvfs(path, &space) == 0 else {
      return MountStatus(device: entry.device, source: entry.source, filesystem: entry.filesystem)
    }
    let block = UInt64(space.f_frsize)
    return MountStatus(
      device: entry.device, source: entry.source, filesystem: entry.filesystem,
      sizeBytes: UInt64(space.f_blocks) * block, availableBytes: UInt64(space.f_bavail) * block)
  }
}

/// `\040` and its like, as the kernel writes space, tab, newline and backslash.
func unescaped(_ field: Substring) -> String {
  var bytes: [UInt8] = []
  var rest = Array(field.utf8)[...]
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "\\"), rest.count >= 3, rest.prefix(3).allSatisfy({ (0x30...0x37).contains($0) }) {
      let value = rest.prefix(3).reduce(0) { $0 * 8 + Int($1 - 0x30) }
      bytes.append(UInt8(truncatingIfNeeded: value))
      rest = rest.dropFirst(3)
    } else {
      bytes.append(byte)
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// The line of fstab(5) for a mount point.
struct FstabEntry: Equatable {
  var source: String
  var mountPoint: String
  var filesystem: String

  static func line(for mountPoint: String, in text: String) -> FstabEntry? {
    for line in text.split(separator: "\n") {
      let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard fields.count >= 3, !fields[0].hasPrefix("#") else { continue }
      // systemd takes doubled and trailing slashes for none.
      let components = unescaped(fields[1]).split(separator: "/")
      guard fields[1].hasPrefix("/"), components == mountPoint.split(separator: "/") else { continue }
      return FstabEntry(source: unescaped(fields[0]), mountPoint: mountPoint, filesystem: String(fields[2]))
    }
    return nil
  }
}
