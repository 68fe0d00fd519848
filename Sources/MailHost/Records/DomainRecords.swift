import DNS

/// The records of a domain that has mail on this host.
struct DomainRecords {
  let domain: String
  let settings: HostSettings
  let facts: RecordFacts

  var records: [WantedRecord] { delivery + signing + programs + transport }

  private var host: String { settings.hostName.lowercased() }

  /// Who gets reports. Only where it is sure that somebody does.
  private var reports: String? {
    settings.administratorAliases.contains("postmaster") && settings.domains.map { $0.lowercased() }.contains(domain)
      ? "postmaster@\(domain)" : nil
  }

  private var delivery: [WantedRecord] {
    [
      WantedRecord(
        domain, .mx, .mx(preference: 10, host: host), .required, "Mail to \(domain) comes to this host.", isShared: true
      ),
      WantedRecord(
        domain, .txt, text(sender), .required,
        settings.smarthost == nil
          ? "Mail of \(domain) comes from this host (SPF); without it large providers refuse mail."
          : "Mail of \(domain) comes from the smarthost (SPF): its operator says what to include.", isShared: true),
    ]
  }

  /// Not `-all`: a forwarded mail is then judged by its signature, too. Not `mx`: a spare server, often somebody else's, sends nothing.
  private var sender: String {
    "v=spf1 a:\(host) " + (settings.smarthost.map { "a:\($0.host) " } ?? "") + "~all"
  }

  private var signing: [WantedRecord] {
    var records: [WantedRecord] = []
    for key in facts.keys ?? [] where key.record.domain == domain {
      let reason =
        key.signs
        ? "The key that mail of \(domain) is signed with: without it no signature can be verified (DKIM)."
        : "The next key (DKIM): it signs when everybody can see it, see `mailhost dkim status`."
      let rank = key.signs ? RecordRank.required : .recommended
      if key.place != key.record.name {
        records.append(
          WantedRecord(
            key.record.name, .cname, .name(key.place), rank,
            "Leads to where this host keeps the keys of \(domain), for ever."))
      }
      records.append(WantedRecord(key.place, .txt, text(key.record.text), rank, reason))
    }
    records.append(
      WantedRecord(
        "_dmarc.\(domain)", .txt, text("v=DMARC1; p=quarantine" + (reports.map { "; rua=mailto:\($0)" } ?? "")),
        .recommended,
        "What others do with mail in your name that is not yours (DMARC); large providers want to see one."))
    return records
  }

  /// RFC 6186, RFC 8314, RFC 5804: what is offered, and what is not.
  private var programs: [WantedRecord] {
    let offered: [(service: String, port: UInt16?)] = [
      ("imaps", 993), ("submissions", 465), ("submission", 587), ("sieve", settings.managesieve ? 4190 : nil),
      ("imap", nil), ("pop3", nil), ("pop3s", nil),
    ]
    return offered.map { service, port in
      WantedRecord(
        "_\(service)._tcp.\(domain)", .srv,
        port.map { .srv(priority: 0, weight: 1, port: $0, target: host) }
          ?? .srv(priority: 0, weight: 0, port: 0, target: ""),
        .optional,
        port == nil
          ? "This host does not offer \(service): mail programs need not try."
          : "Mail programs that look for \(service) find this host.")
    }
  }

  private var transport: [WantedRecord] {
    let policy = MTASTSPolicy(mode: settings.web.mtaSTS, hostName: settings.hostName)
    let needsWeb =
      settings.web.root == nil ? "it needs a web server: set root in [web], and call `mailhost web`" : nil
    let rank = needsWeb == nil ? RecordRank.recommended : .optional
    var records: [WantedRecord] = []
    if WebSite.name(domain) != WebSite.name(host) {
      records.append(
        WantedRecord(
          WebSite.name(domain), .cname, .name(host), rank,
          "Mail programs that do not follow the MX record find their settings there.", unless: needsWeb))
    }
    records += [
      WantedRecord(
        "mta-sts.\(domain)", .cname, .name(host), rank,
        "Where senders get the policy that mail comes encrypted, and to this host only (MTA-STS).", unless: needsWeb),
      WantedRecord(
        "_mta-sts.\(domain)", .txt, text(policy.record), rank,
        "Says that there is such a policy, and when it has changed. Last: the policy must be there before.",
        unless: needsWeb),
    ]
    if let reports {
      records.append(
        WantedRecord(
          "_smtp._tls.\(domain)", .txt, text("v=TLSRPTv1; rua=mailto:\(reports)"), .optional,
          "Large senders report there, once a day, where encryption has failed (TLS-RPT)."))
    }
    return records
  }
}
