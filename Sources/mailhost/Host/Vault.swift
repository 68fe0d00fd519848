import Linux
import MailHost
import MailbootCore

/// Whether the encrypted volume is there.
struct Vault {
  let settings: HostSettings
  let root: HostRoot

  /// By the mount table; a directory that is not encrypted is always open.
  var isOpen: Bool {
    settings.vaultType == "none" || Self.isMounted(settings.vault, root)
  }

  static func isMounted(_ path: String, _ root: HostRoot) -> Bool {
    guard root.isHere, let table = readSmallFile("/proc/self/mountinfo", limit: 16 << 20) else { return false }
    return isMountPoint(path, in: table)
  }
}
