import Glibc
import Linux
import MailHost

/// Whether the encrypted volume is there.
struct Vault {
  let settings: HostSettings
  let root: HostRoot

  /// By the mount table; a directory that is not encrypted is always open.
  var isOpen: Bool {
    if settings.vaultType == "none" { return true }
    guard root.isHere else { return false }
    let table = readSmallText("/proc/self/mountinfo") ?? ""
    return table.split(separator: "\n").contains { line in
      let fields = line.split(separator: " ", maxSplits: 5)
      // An automount that nobody has asked yet is no vault.
      return fields.count > 5 && fields[4] == settings.vault && !line.contains(" - autofs ")
    }
  }
}
