import DNS
import HostChecks
import Linux
import MailHost

extension RecordFacts {
  /// What this host's records depend on, read from it. While the vault is locked the keys are not known, and the domains are those of
  /// mailhost.toml.
  static func here(
    _ settings: HostSettings, _ root: HostRoot, _ view: DNSView, notes: inout [String]
  ) throws(HostFailure) -> RecordFacts {
    var facts = RecordFacts()
    let named = settings.dns.addresses.compactMap(IPAddress.init)
    let there = named.isEmpty && root.isHere ? ownAddresses() : named
    facts.addresses = there.filter { !$0.isPrivate && ($0.isSix ? settings.ipv6 : settings.ipv4) }
    facts.isBehindRouter =
      named.isEmpty && !facts.addresses.contains { !$0.isSix } && there.contains { !$0.isSix && $0.isPrivate }
    let accounts = HostedAccounts(settings: settings, root: root)
    if accounts.isLocked {
      facts.domainsAreKnown = false
      facts.domains = Set(settings.domains.map { $0.lowercased() }).sorted()
      notes.append("the vault is locked: the domains are those of mailhost.toml, not those of the account database")
    } else {
      facts.domains = try accounts.domains()
    }
    do throws(HostFailure) {
      facts.keys = try keys(settings, root, view, facts.domains, isLocked: accounts.isLocked)
    } catch {
      // All other records are worth knowing all the same.
      facts.keys = nil
      facts.keysAreUnknown = error.texts.joined(separator: "; ")
    }
    facts.certificate = certificate(settings, root)
    facts.isHostZoneSigned = isSigned(settings.hostName, view)
    return facts
  }

  private static func keys(
    _ settings: HostSettings, _ root: HostRoot, _ view: DNSView, _ domains: [String], isLocked: Bool
  ) throws(HostFailure) -> [Key]? {
    guard settings.spamFilter, settings.selector != nil else { return [] }
    guard !isLocked, fileStatus(root.path(settings.dkim)) != nil else { return nil }
    let files = KeyDirectory(settings: settings, root: root)
    let publisher = RecordPublisher(settings: settings, root: root, view: view)
    var found: [Key] = []
    for domain in domains {
      let keys = try files.keys(of: domain)
      // One that is retiring has its record for a while; whether it is there is no matter of this check.
      for key in keys.keys where key.isUsable && key.mark == nil {
        let record = KeyRecord(
          domain: domain, selector: key.selector, algorithm: key.algorithm, publicKey: key.publicForms.first ?? "")
        found.append(
          Key(record: record, forms: key.publicForms, place: publisher.name(of: record), signs: keys.signs(key)))
      }
    }
    return found
  }

  private static func certificate(_ settings: HostSettings, _ root: HostRoot) -> Certificate? {
    guard let bytes = readSmallFile(root.path(settings.certificate)) else { return nil }
    let chain = bytes.withUnsafeBytes { HostChecks.Certificate.chain(pem: $0) }
    guard chain.count > 0 else { return nil }
    return chain.with(0) { own in
      Certificate(
        whole: own.der, publicKey: own.publicKeyDER,
        issuer: own.issuerOrganization.flatMap { issuers[$0] }, keepsKey: keepsKey(settings, root))
    }
  }

  /// How CAA records name those who sign for everybody without a contract (their own documentation).
  private static let issuers = [
    "Let's Encrypt": "letsencrypt.org", "ZeroSSL": "sectigo.com", "Google Trust Services": "pki.goog",
    "Buypass AS-983163327": "buypass.com", "SSL Corporation": "ssl.com",
  ]

  /// What certbot will do the next time, where the certificate is one of its.
  private static func keepsKey(_ settings: HostSettings, _ root: HostRoot) -> Bool? {
    let words = settings.certificate.split(separator: "/")
    guard settings.certificate.hasPrefix("/etc/letsencrypt/live/"), words.count > 3,
      let text = readSmallText(root.path("/etc/letsencrypt/renewal/\(words[3]).conf"))
    else { return nil }
    return text.split(separator: "\n").contains { line in
      line.filter { !$0.isWhitespace }.lowercased() == "reuse_key=true"
    }
  }

  /// Whether a resolver verifies the zone of a name, or its parent has its key.
  private static func isSigned(_ name: String, _ view: DNSView) -> Bool? {
    do throws(DNSError) {
      let zone = try view.zone(of: name)
      if try view.resolve(zone, .soa).isAuthenticated { return true }
      return try !view.records(zone, .ds).isEmpty
    } catch {
      return nil
    }
  }
}
