import Glibc
import MailbootCore

/// Warns about new domains without a DKIM key: their mail leaves unsigned, and `mailboot` does not bring the host up again, where its
/// check requires one. That must not be learnt at the next reboot.
func warnAboutSigningKeys(of domains: [String], _ settings: Settings) {
  guard !domains.isEmpty, settings.dkimSeverity != Severity.off.rawValue, let keys = files(in: settings.dkimDirectory)
  else { return }
  for domain in domains where !keys.contains(where: { $0.hasPrefix(domain + ".") && $0.hasSuffix(".key") }) {
    let consequence =
      settings.dkimSeverity == Severity.require.rawValue
      ? "its mail leaves unsigned, and `mailboot` will not bring the services up after a reboot"
      : "its mail leaves unsigned"
    let key = "\(settings.dkimDirectory)/\(domain).\(settings.dkimSelector)"
    let command =
      "runuser -u \(settings.dkimUser) -- rspamadm dkim_keygen -d \(domain) -s \(settings.dkimSelector) -b 2048 -k \(key).key"
      + " | tee \(key).txt"
    warn("\(domain) has no DKIM key: \(consequence)")
    advise("`\(command)` makes one; publish what it prints in the DNS")
  }
}

/// Nil: it is not there, or not for this user to see.
private func files(in directory: String) -> [String]? {
  guard let stream = opendir(directory) else { return nil }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    names.append(
      withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      })
  }
  return names
}
