import DNS

/// Every record that a mail host needs in the DNS, with the reason of each.
public struct WantedRecords: Equatable, Sendable {
  /// Those of the host's own name.
  public var host: [WantedRecord] = []
  /// Those of a domain, in the order of the domains.
  public var domains: [(name: String, records: [WantedRecord])] = []
  /// What is not among them, and why.
  public var notes: [String] = []

  public static func == (one: WantedRecords, other: WantedRecords) -> Bool {
    one.host == other.host && one.notes == other.notes
      && one.domains.elementsEqual(other.domains) { $0.name == $1.name && $0.records == $1.records }
  }

  public init(_ settings: HostSettings, _ facts: RecordFacts) {
    let host = HostRecords(settings: settings, facts: facts)
    self.host = host.records
    notes = host.notes
    for domain in facts.domains.filter(isHostName) {
      domains.append((domain, DomainRecords(domain: domain, settings: settings, facts: facts).records))
    }
    for name in settings.dns.silentNames {
      domains.append((name, Self.silent(name)))
    }
    for name in facts.domains where !isHostName(name) { notes.append("\(name) is no domain that the DNS can have") }
    if facts.keys == nil { notes.append("\(facts.keysAreUnknown): their records are not among these") }
  }

  /// All of them.
  public var all: [WantedRecord] { host + domains.flatMap(\.records) }

  /// Of a name from which no mail comes.
  private static func silent(_ name: String) -> [WantedRecord] {
    let reason = "No mail comes from \(name): whoever gets some may throw it away."
    return [
      WantedRecord(name, .txt, text("v=spf1 -all"), .recommended, reason, isShared: true),
      WantedRecord("_dmarc.\(name)", .txt, text("v=DMARC1; p=reject"), .recommended, reason),
      WantedRecord(
        name, .mx, .mx(preference: 0, host: ""), .optional,
        "Nor does it take any (RFC 7505): senders know at once, and do not try for days.", isShared: true),
    ]
  }
}

func text(_ text: String) -> DNSRecord.Data { .text(Array(text.utf8)) }

/// Those of the host's own name.
private struct HostRecords {
  let settings: HostSettings
  let facts: RecordFacts

  var records: [WantedRecord] {
    addresses + [greeting] + autoconfig + tlsa + caa
  }

  var notes: [String] {
    facts.addresses.isEmpty
      ? ["the addresses of this host are not known (a private network?): set addresses in [dns] of mailhost.toml"] : []
  }

  private var name: String { settings.hostName.lowercased() }

  private var addresses: [WantedRecord] {
    facts.addresses.flatMap { address in
      [
        WantedRecord(
          name, address.isSix ? .aaaa : .a, .address(address.text), .required,
          "Where other mail servers, and users, connect to."),
        WantedRecord(
          address.reverseName, .ptr, .name(name), .required,
          "Large providers refuse mail from an address without a name that leads back to it. "
            + "It is set with whoever gave you the address, not in your zone."),
      ]
    }
  }

  private var greeting: WantedRecord {
    WantedRecord(
      name, .txt, text("v=spf1 a -all"), .recommended,
      "Reports of failed deliveries have no sender: then the name in the greeting is looked up (SPF).", isShared: true)
  }

  private var autoconfig: [WantedRecord] {
    [
      WantedRecord(
        WebSite.name(name), .cname, .name(name), settings.web.root == nil ? .optional : .recommended,
        "Mail programs find their settings there, for all domains.",
        unless: settings.web.root == nil ? "it needs a web server: set root in [web], and call `mailhost web`" : nil)
    ]
  }

  private var tlsa: [WantedRecord] {
    guard let certificate = facts.certificate else { return [] }
    let condition: String? =
      switch (facts.isHostZoneSigned, certificate.keepsKey) {
      case (true, true): nil
      case (true, _):
        "renewing must keep the key, or mail stops at the next renewal: `certbot renew --reuse-key --force-renewal` once"
      case (false, _): "the zone is not signed (DNSSEC), and without that nobody looks"
      case (nil, _): "whether the zone is signed (DNSSEC) is not known, and without that nobody looks"
      }
    return [
      WantedRecord(
        "_25._tcp.\(name)", .tlsa,
        .tlsa(usage: 3, selector: 1, matching: 1, data: hexadecimal(sha256(certificate.publicKey))), .optional,
        "Servers that know DANE deliver only to whoever has this key, and encrypted.", unless: condition)
    ]
  }

  private var caa: [WantedRecord] {
    guard let issuer = facts.certificate?.issuer else { return [] }
    return [
      WantedRecord(
        name, .caa, .caa(flags: 0, tag: "issue", value: issuer), .optional,
        "Nobody else may sign a certificate for this name.", isShared: true)
    ]
  }
}
