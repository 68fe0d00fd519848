import Linux
import MailHost
import MailbootCore

/// Whether the encrypted volume is there.
struct Vault {
  let settings: HostSettings
  let root: HostRoot

  /// By the mount table; a directory that is not encrypted is always open.
  var isOpen: Bool {
    if settings.vaultType == "none" { return true }
    guard root.isHere else { return false }
    guard let table = readSmallFile("/proc/self/mountinfo", limit: 16 << 20) else { return false }
    return isMountPoint(settings.vault, in: table)
  }
}
