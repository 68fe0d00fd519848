import Linux
import MailbootCore
import Text

/// Warns about new domains without a DKIM key: their mail leaves unsigned, and `mailboot` does not bring the host up again, where its
/// check requires one. That must not be learnt at the next reboot.
func warnAboutSigningKeys(of domains: [String], _ settings: Settings) {
  // No list: the directory is not there, or not for this user to see.
  guard !domains.isEmpty, settings.dkimSeverity != Severity.off.rawValue,
    let keys = listDirectory(settings.dkimDirectory)
  else { return }
  for domain in domains where !keys.contains(where: { isKey($0, of: domain) }) {
    let consequence =
      [Severity.require.rawValue, Severity.strict.rawValue].contains(settings.dkimSeverity)
      ? "its mail leaves unsigned, and `mailboot` will not bring the services up after a reboot"
      : "its mail leaves unsigned"
    warn("\(domain) has no DKIM key: \(consequence)")
    if fileStatus(mailHostSettingsPath) != nil {
      advise("`mailhost dkim generate \(shellWord(domain))` makes one, and says what to publish in the DNS")
      continue
    }
    let key = "\(settings.dkimDirectory)/\(domain).\(settings.dkimSelector)"
    let words = [
      "runuser", "-u", settings.dkimUser, "--", "rspamadm", "dkim_keygen", "-d", domain, "-s", settings.dkimSelector,
      "-b",
      "2048", "-k", "\(key).key",
    ]
    let command = words.map(shellWord).joined(separator: " ") + " | tee " + shellWord("\(key).txt")
    advise("`\(command)` makes one; publish what it prints in the DNS")
  }
}

/// DOMAIN.SELECTOR.key; a selector has no dot here, else example.org would have the keys of example.org.uk.
private func isKey(_ name: String, of domain: String) -> Bool {
  let parts = name.split(separator: ".", omittingEmptySubsequences: false)
  return parts.count > 2 && parts.last == "key" && parts.dropLast(2).joined(separator: ".") == domain
}
