import CLinux
import Glibc
import Linux
import MailbootCore

/// One line of `/proc/self/mountinfo`, see proc(5).
struct MountEntry: Equatable {
  var device: String
  /// The directory within the file system that is mounted: `/` unless it is a bind mount of a part.
  var root: String
  var mountPoint: String
  var filesystem: String
  var source: String
  /// Whether this one mount takes no writes; in a namespace of one's own (`ProtectSystem=`) that says nothing about the host's.
  var isReadOnly = false
  /// Whether the file system takes none, wherever it is mounted.
  var hasReadOnlyFileSystem = false
  /// Whether another user than root has mounted it, through FUSE: then source and type are whatever that user liked.
  var isUsers = false
}

struct MountTable {
  /// Parsed only when asked for: a host has dozens of mounts, and `status` wants to know of one or two.
  private let lines: [ArraySlice<UInt8>]

  init(parsing text: String) { self.init(Array(text.utf8)) }

  private init(_ bytes: [UInt8]) {
    lines = bytes.split(separator: UInt8(ascii: "\n"))
  }

  var entries: [MountEntry] { lines.compactMap(Self.entry) }

  private static func entry(_ line: ArraySlice<UInt8>) -> MountEntry? {
    let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard let dash = fields.firstIndex(of: [UInt8(ascii: "-")]), fields.count > dash + 2, dash >= 6 else { return nil }
    return MountEntry(
      device: String(decoding: fields[2], as: UTF8.self), root: unescaped(fields[3]), mountPoint: unescaped(fields[4]),
      filesystem: String(decoding: fields[dash + 1], as: UTF8.self), source: unescaped(fields[dash + 2]),
      isReadOnly: has("ro", fields[5]), hasReadOnlyFileSystem: fields.count > dash + 3 && has("ro", fields[dash + 3]),
      isUsers: fields.count > dash + 3 && isUsers(fields[dash + 3])
    )
  }

  private static func has(_ option: String, _ options: ArraySlice<UInt8>) -> Bool {
    options.split(separator: UInt8(ascii: ",")).contains { $0.elementsEqual(option.utf8) }
  }

  /// FUSE's `user_id=`, which the kernel sets.
  private static func isUsers(_ options: ArraySlice<UInt8>) -> Bool {
    options.split(separator: UInt8(ascii: ",")).contains {
      $0.starts(with: "user_id=".utf8) && !$0.elementsEqual("user_id=0".utf8)
    }
  }

  /// The table of this process's mount namespace; nil without `/proc`.
  static func current() -> MountTable? {
    readSmallFile("/proc/self/mountinfo", limit: 16 << 20).map { MountTable($0) }
  }

  /// What is mounted on that very path, uppermost if several.
  ///
  /// An automount point alone (`x-systemd.automount`) is nothing yet, and whoever looks into it waits for the mount.
  func mount(on path: String) -> MountEntry? {
    uppermost(on: path).flatMap { $0.filesystem == "autofs" ? nil : $0 }
  }

  /// Whether to open the directory is to open something that is mounted on it, or to set an automount going.
  func isCovered(_ path: String) -> Bool { uppermost(on: path) != nil }

  /// Whether it is an automount point, and nothing is mounted there yet.
  func isAutomount(_ path: String) -> Bool { uppermost(on: path)?.filesystem == "autofs" }

  private func uppermost(on path: String) -> MountEntry? {
    for line in lines.reversed() {
      // Without escapes the fifth field is the path itself: lines of other paths need no parsing.
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
      guard fields.count > 5, fields[4].elementsEqual(path.utf8) || fields[4].contains(UInt8(ascii: "\\")) else {
        continue
      }
      if let entry = Self.entry(line), entry.mountPoint == path { return entry }
    }
    return nil
  }

  func status(of path: String) -> MountStatus? {
    guard let entry = mount(on: path) else { return nil }
    var space = statvfs()
    guard statvfs(path, &space) == 0 else { return MountStatus(entry) }
    return MountStatus(entry, space, errors: errors(of: entry))
  }

  /// As ext4 counts them; other file systems do not.
  private func errors(of entry: MountEntry) -> Int {
    guard entry.filesystem == "ext4", let device = resolvedPath("/sys/dev/block/\(entry.device)"),
      let name = device.split(separator: "/").last, let count = readAttribute("/sys/fs/ext4/\(name)/errors_count")
    else { return 0 }
    return Int(count) ?? 0
  }
}

extension MountStatus {
  /// Without what only its file system can tell.
  init(_ entry: MountEntry) {
    self.init(
      device: entry.device, source: entry.source, filesystem: entry.filesystem,
      isReadOnly: entry.hasReadOnlyFileSystem)
  }

  init(_ entry: MountEntry, _ space: statvfs, errors: Int) {
    let block = UInt64(space.f_frsize)
    self.init(
      device: entry.device, source: entry.source, filesystem: entry.filesystem,
      sizeBytes: UInt64(space.f_blocks) * block, availableBytes: UInt64(space.f_bavail) * block,
      isReadOnly: entry.hasReadOnlyFileSystem, errors: errors)
  }
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

/// Whether fstab mounts something at or above a path that is not there yet.
func isMountedLater(_ path: String) -> Bool {
  guard let text = readSmallText("/etc/fstab"), let table = MountTable.current() else { return false }
  let parts = path.split(separator: "/")
  return parts.indices.contains { last in
    let path = "/" + parts[...last].joined(separator: "/")
    return FstabEntry.line(for: path, in: text) != nil && table.mount(on: path) == nil
  }
}
