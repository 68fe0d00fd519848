import Linux
import MailAccounts
import MailHost

/// The domains that the host has: the database is the truth.
/// - Throws: when the vault is closed, or the database cannot be read.
func hostedDomains(_ settings: HostSettings, _ root: HostRoot) throws(HostFailure) -> [String] {
  try requireOpenVault(settings, root)
  do throws(AccountError) {
    var domains: [String] = []
    try AccountDatabase(path: root.path(settings.database), .look).domains { domains.append($0.name.lowercased()) }
    return domains.sorted()
  } catch {
    throw HostFailure(.failed, "\(settings.database): \(error)", hint: "see `mailcfg check`")
  }
}

func requireOpenVault(_ settings: HostSettings, _ root: HostRoot) throws(HostFailure) {
  guard Vault(settings: settings, root: root).isOpen || !root.isHere else {
    throw HostFailure(.locked, "the vault is locked, and the keys are in it", hint: "run `mailboot`")
  }
}
