import CLinux
import Glibc
import Linux
import MailbootCore

/// The directory below a mount: what programs would write to while nothing is mounted. Made immutable, it takes nothing.
struct BareMountPoint {
  let path: String

  func state() -> GuardReport.MountPointState {
    withDirectory { directory in
      if let names = Self.names(in: directory), !names.isEmpty { return .notEmpty(Array(names.prefix(3))) }
      var flags: Int32 = 0
      guard mb_get_inode_flags(directory, &flags) == 0 else { return Self.unknown(errno) }
      return flags & mb_flag_immutable != 0 ? .immutable : .writable
    } failed: { code in
      code == ENOENT ? .missing : .unknown(errnoText(code))
    }
  }

  /// Sets or clears the flag.
  /// - Returns: the state from now on, and whether that is new. What is not empty is left as it is when the flag is to be set.
  func set(immutable: Bool) -> (state: GuardReport.MountPointState, outcome: StepOutcome) {
    var made = false
    var before = state()
    if immutable && before == .missing && mkdir(path, 0o755) == 0 {
      chmod(path, 0o755)
      made = true
      before = state()
    }
    switch before {
    case .immutable where !immutable, .writable where immutable: break
    // Whether it is empty does not matter for giving it back.
    case .notEmpty where !immutable: break
    default: return (before, made ? .changed : .unchanged)
    }
    return withDirectory { directory in
      var flags: Int32 = 0
      guard mb_get_inode_flags(directory, &flags) == 0 else { return (Self.unknown(errno), .unchanged) }
      let wanted = immutable ? flags | mb_flag_immutable : flags & ~mb_flag_immutable
      if wanted == flags { return (before, .unchanged) }
      guard mb_set_inode_flags(directory, wanted) == 0 else { return (Self.unknown(errno), .unchanged) }
      return (immutable ? .immutable : .writable, .changed)
    } failed: { code in
      (.unknown(errnoText(code)), .unchanged)
    }
  }

  private static func unknown(_ code: Int32) -> GuardReport.MountPointState {
    code == ENOTTY || code == EOPNOTSUPP || code == ENOSYS ? .unsupported : .unknown(errnoText(code))
  }

  /// Opens the bare directory. While something is mounted on it, it is reached through a copy of the mount below, which nobody else
  /// sees; the mount on top is not touched.
  private func withDirectory<Result>(_ body: (Int32) -> Result, failed: (Int32) -> Result) -> Result {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let tree: Int32
    let directory: Int32
    if !(MountTable.current()?.isCovered(path) ?? false) {
      tree = -1
      directory = mb_open(path, flags, 0)
    } else {
      let parts = path.split(separator: "/")
      tree = mb_open_bare_tree("/" + parts.dropLast().joined(separator: "/"))
      guard tree >= 0 else { return failed(errno) }
      directory = mb_openat(tree, parts.last.map(String.init) ?? ".", flags, 0)
    }
    let code = errno
    defer {
      if directory >= 0 { close(directory) }
      if tree >= 0 { close(tree) }
    }
    return directory >= 0 ? body(directory) : failed(code)
  }

  private static func names(in directory: Int32) -> [String]? {
    listDirectory("/proc/self/fd/\(directory)")
  }
}
