import DNS

extension DNSCheck {
  func checkHost() {
    add(host, .a, .required, addressVerdict(.a))
    if settings.ipv6 || !(facts.addresses.filter(\.isSix).isEmpty) {
      add(host, .aaaa, .required, addressVerdict(.aaaa))
    } else if case .success(let records) = found(host, .aaaa), !records.isEmpty {
      add(
        host, .aaaa, .required,
        .wrong("has an AAAA record, and this host takes no mail over IPv6", hint: "remove it"))
    }
    checkAlias()
    for address in reachable { checkReverse(address) }
    add(host, .greeting, .recommended, greeting())
    checkCertificate()
    for address in reachable { checkLists(address) }
    if settings.web.root != nil { add(WebSite.name(host), .autoconfig, .recommended, leads(WebSite.name(host))) }
  }

  /// This host's addresses: those that it knows of, and of a kind of which it knows none, what the DNS says that they are.
  var reachable: [IPAddress] {
    let shown = ((try? addresses(of: host)) ?? []).filter { address in
      !address.isPrivate && (address.isSix ? settings.ipv6 : settings.ipv4) && !isKnown(address.isSix ? .aaaa : .a)
    }
    return facts.addresses + shown.filter { !facts.addresses.contains($0) }
  }

  /// Whether this host's addresses of that kind, or that it has none, are known.
  private func isKnown(_ type: DNSType) -> Bool {
    if facts.addresses.isEmpty { return false }
    return type == .aaaa || !facts.isBehindRouter || facts.addresses.contains { !$0.isSix }
  }

  private func addressVerdict(_ type: DNSType) -> RecordVerdict {
    let own = Set(facts.addresses.filter { $0.isSix == (type == .aaaa) })
    let isKnown = isKnown(type)
    return judge.verdict(host, type) { records in
      let shown = Set(records.compactMap { $0.address.flatMap(IPAddress.init) })
      if let bad = shown.first(where: \.isPrivate) {
        return .local("\(bad.text) is an address that nobody outside can reach", hint: "give it the public address")
      }
      if shown.isEmpty {
        if !own.isEmpty {
          return .missing("has no \(type.text) record for \(Self.list(own))", hint: "`mailhost dns` has the record")
        }
        return type == .a && !isKnown
          ? .missing("has no address", hint: "`mailhost dns` has the record") : .right("has no \(type.text) record")
      }
      if !isKnown { return .right(Self.list(shown)) }
      let foreign = shown.subtracting(own)
      let absent = own.subtracting(shown)
      if !foreign.isEmpty {
        return .wrong(
          "leads to \(Self.list(foreign)), which is not this host",
          hint: "remove it; behind a router set addresses in [dns] of mailhost.toml")
      }
      if !absent.isEmpty {
        return .remark("does not lead to \(Self.list(absent)), from where mail may be sent as well")
      }
      return .right(Self.list(shown))
    }
  }

  static func list(_ addresses: Set<IPAddress>) -> String { addresses.sorted().map(\.text).joined(separator: ", ") }

  /// RFC 2181, section 10.3.
  private func checkAlias() {
    guard case .success(let answer) = Result(catching: { () throws(DNSError) in try view.resolve(host, .a) }),
      let target = answer.records(of: host, .cname).first?.target
    else { return }
    add(
      host, .alias, .required,
      .wrong("is an alias of \(target): what an MX record names must not be one", hint: "give it address records"))
  }

  private func checkReverse(_ address: IPAddress) {
    let provider = "set it with whoever gave you the address"
    do throws(DNSError) {
      let names = try view.owned(address.reverseName, .ptr).compactMap(\.target).sorted()
      guard let name = names.first(where: { $0 == host }) ?? names.first else {
        return add(
          address.text, .reverse, .required,
          .missing("has no name (PTR): large providers refuse its mail", hint: "\(provider): \(host)"))
      }
      let leadsBack = try addresses(of: name).contains(address)
      guard name == host else {
        // Receivers look whether it leads back; that it is the name in the greeting they like to see.
        return add(
          address.text, .reverse, leadsBack ? .recommended : .required,
          .wrong(
            "has the name \(names.joined(separator: ", "))"
              + (leadsBack ? ", and this host greets as \(host)" : ", which does not lead back to it"), hint: provider))
      }
      guard leadsBack else {
        return add(
          address.text, .reverse, .required,
          .wrong("has the name \(host), which does not lead back to it", hint: "`mailhost dns` has the record"))
      }
      add(
        address.text, .reverse, .required,
        names.count == 1
          ? .right(host) : .remark("has \(names.count) names: \(names.joined(separator: ", "))", hint: "one is enough"))
    } catch {
      add(address.text, .reverse, .required, .unknown("its name cannot be looked up: \(error.text)"))
    }
  }

  private func greeting() -> RecordVerdict {
    judge.verdict(host, .txt) { records in
      let texts = records.compactMap(\.text).filter(isSPF)
      guard let text = texts.first else {
        return .missing(
          "has no SPF record of its own, for mail without a sender", hint: "`mailhost dns` has the record")
      }
      return self.sender(texts, text, of: self.host)
    }
  }

  // MARK: The certificate

  private func checkCertificate() {
    guard let certificate = facts.certificate else { return }
    add("_25._tcp.\(host)", .tlsa, .optional, tlsa(certificate))
    if let issuer = certificate.issuer { checkIssuer(issuer) }
  }

  private func tlsa(_ certificate: RecordFacts.Certificate) -> RecordVerdict {
    let isSigned = facts.isHostZoneSigned
    var verdict = judge.verdict("_25._tcp.\(host)", .tlsa) { records in
      if records.isEmpty {
        return isSigned == true
          ? .missing("the zone is signed, and has no TLSA record", hint: "`mailhost dns` has one")
          : .right("none; the zone is not known to be signed")
      }
      let usable = records.filter {
        if case .tlsa(let usage, _, _, _) = $0.data { usage == 2 || usage == 3 } else { false }
      }
      if usable.isEmpty { return .remark("none of its records is one that mail servers look at (2 or 3 at the start)") }
      if usable.contains(where: { certificate.matches($0.data) }) {
        return .right("the certificate's key is the one that is named")
      }
      if usable.contains(where: { if case .tlsa(2, _, _, _) = $0.data { true } else { false } }) {
        return .remark(
          "names an authority (2 at the start): whether it has signed the certificate is not looked at here")
      }
      return .wrong(
        "names another key than that of the certificate: servers that know DANE deliver nothing",
        hint: "`mailhost dns` has the right one; the old one may stay beside it for a day")
    }
    if verdict.result == .remark || verdict.result == .right, isSigned == false, !verdict.text.hasPrefix("none;") {
      verdict = .remark("is there, and nobody looks at it: the zone is not signed (DNSSEC)")
    }
    return verdict
  }

  /// RFC 8659, section 3: the records of the nearest name upwards count.
  private func checkIssuer(_ issuer: String) {
    var name = host
    while name.contains(".") {
      guard case .success(let records) = found(name, .caa) else {
        add(host, .caa, .required, .unknown("whether \(issuer) may sign a certificate is not known"))
        return
      }
      let allowed = records.compactMap { record -> String? in
        if case .caa(_, let tag, let value) = record.data, tag.lowercased() == "issue" {
          return canonicalName(value.prefix { $0 != ";" }.filter { !$0.isWhitespace })
        }
        return nil
      }
      if !records.isEmpty, !allowed.isEmpty {
        let others = allowed.filter { !$0.isEmpty }.joined(separator: ", ")
        add(
          host, .caa, .required,
          allowed.contains(issuer)
            ? .right("\(issuer) may sign a certificate")
            : .wrong(
              "\(issuer), who has signed the certificate, may not sign the next one: CAA of \(name) names "
                + (others.isEmpty ? "nobody" : others), hint: "`mailhost dns` has the record"))
        return
      }
      if !records.isEmpty { break }
      name = name.split(separator: ".").dropFirst().joined(separator: ".")
    }
    add(
      host, .caa, .optional, .missing("anybody may sign a certificate for it", hint: "`mailhost dns` has a CAA record"))
  }

  /// Whether a name has an address, whoever's it is: a web server may be another machine.
  func leads(_ name: String) -> RecordVerdict {
    do throws(DNSError) {
      let there = try addresses(of: name)
      return there.isEmpty
        ? .missing("has no address", hint: "`mailhost dns` has the record")
        : .right(there.map(\.text).joined(separator: ", "))
    } catch {
      return .unknown("cannot be looked up: \(error.text)")
    }
  }

  // MARK: Lists of senders of spam

  private func checkLists(_ address: IPAddress) {
    for list in settings.dns.lists {
      add(
        address.text, .listed, .required,
        BlockList(name: list).verdict(on: address, found("\(address.reversedLabels).\(list)", .a)))
      findings[findings.count - 1].list = list
    }
  }
}

extension RecordFacts.Certificate {
  /// Whether a TLSA record names it (RFC 6698, section 2.1), for usages that mail servers look at.
  func matches(_ data: DNSRecord.Data) -> Bool {
    guard case .tlsa(3, let selector, let matching, let digits) = data, selector < 2 else { return false }
    let bytes = selector == 0 ? whole : publicKey
    switch matching {
    case 0: return hexadecimal(bytes) == digits
    case 1: return hexadecimal(sha256(bytes)) == digits
    case 2: return hexadecimal(sha512(bytes)) == digits
    default: return false
    }
  }
}
