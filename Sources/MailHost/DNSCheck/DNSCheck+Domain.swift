import DNS
import Text

extension DNSCheck {
  func check(domain: String) {
    guard isHostName(domain) else {
      add(domain, .mx, .required, .wrong("is no domain that the DNS can have", hint: "`mailcfg check` tells more"))
      return
    }
    add(domain, .mx, .required, mx(domain))
    add(domain, .spf, .required, spf(domain))
    checkKeys(domain)
    add(domain, .dmarc, .recommended, dmarc(domain))
    for (service, port) in services { add("_\(service)._tcp.\(domain)", .srv, .optional, srv(service, port, domain)) }
    if settings.web.root != nil, domain != host {
      add(WebSite.name(domain), .autoconfig, .recommended, leads(WebSite.name(domain)))
    }
    checkPolicy(domain)
    add(domain, .tlsReports, .optional, tlsReports(domain))
  }

  private var services: [(String, UInt16?)] {
    [
      ("imaps", 993), ("submissions", 465), ("submission", 587), ("sieve", settings.managesieve ? 4190 : nil),
      ("imap", nil), ("pop3", nil), ("pop3s", nil),
    ]
  }

  // MARK: Delivery

  private func mx(_ domain: String) -> RecordVerdict {
    judge.verdict(domain, .mx) { [self] records in
      var others: [String] = []
      let servers = records.compactMap { record -> (preference: UInt16, host: String)? in
        if case .mx(let preference, let host) = record.data { (preference, host) } else { nil }
      }
      let hint = "`mailhost dns \(domain)` has the record"
      if servers.isEmpty { return .missing("has no MX record", hint: hint) }
      var own = servers.filter { $0.host == host }
      if own.isEmpty {
        own = servers.filter { isThisHost($0.host) }
        others = own.map(\.host)
      }
      guard let preference = own.map(\.preference).min() else {
        let others = servers.map { $0.host.isEmpty ? "nobody (a null MX)" : $0.host }.joined(separator: ", ")
        return .wrong("mail goes to \(others), not to this host", hint: hint)
      }
      func foreign(_ isWanted: (UInt16) -> Bool) -> [String] {
        servers.filter { isWanted($0.preference) && $0.host != host && !isThisHost($0.host) }.map(\.host)
      }
      let before = foreign { $0 < preference }
      if !before.isEmpty {
        return .wrong("mail goes to \(before.joined(separator: ", ")) first", hint: "a smaller number comes first")
      }
      let same = foreign { $0 == preference }
      if !same.isEmpty {
        return .wrong(
          "some of the mail goes to \(same.joined(separator: ", "))", hint: "give it a larger number, or remove it")
      }
      let later = foreign { $0 > preference }
      if !later.isEmpty { return .remark("\(host); when it is down mail goes to \(later.joined(separator: ", "))") }
      return others.isEmpty
        ? .right(host)
        : .remark("\(others.joined(separator: ", ")), which is this host by another name: is it in the certificate?")
    }
  }

  /// Whether a name leads to this host and nowhere else.
  func isThisHost(_ name: String) -> Bool {
    if name == host { return true }
    guard !name.isEmpty, let there = try? addresses(of: name), !there.isEmpty else { return false }
    let own = reachable
    return there.allSatisfy { own.contains($0) }
  }

  // MARK: Who may send

  private func spf(_ domain: String) -> RecordVerdict {
    judge.verdict(domain, .txt) { records in
      let texts = records.compactMap(\.text).filter(isSPF)
      guard let text = texts.first else {
        return .missing("has no SPF record", hint: "`mailhost dns \(domain)` has one")
      }
      return self.sender(texts, text, of: domain)
    }
  }

  /// Evaluates an SPF record for each address of this host.
  func sender(_ texts: [String], _ text: String, of domain: String) -> RecordVerdict {
    guard texts.count == 1 else {
      return .wrong("has \(texts.count) SPF records, so that none counts", hint: "make one of them")
    }
    let record: SPFRecord
    do throws(SPFRecord.Fault) {
      record = try SPFRecord(text)
    } catch {
      return .wrong("its SPF record counts for nothing: \(error.text)")
    }
    if record.directives.contains(where: { $0.mechanism == .all && $0.qualifier == .pass }) {
      return .wrong("its SPF record lets everybody send (+all)", hint: "end it with ~all or -all")
    }
    let lookup: SPFEvaluation.Lookup = { [view, host] name, type throws(DNSError) in
      // Its own name the way the world sees it.
      try name == host ? view.owned(name, type) : view.records(name, type)
    }
    for address in reachable where settings.smarthost == nil {
      var evaluation = SPFEvaluation(
        address: address, sender: "postmaster@\(domain)", greeting: host, lookup: lookup)
      switch evaluation.result(of: domain, record: text) {
      case .pass: continue
      case .permanentError(let reason): return .wrong("its SPF record counts for nothing: \(reason)")
      case .temporaryError(let reason): return .unknown("its SPF record cannot be evaluated now: \(reason)")
      case .fail, .softFail, .neutral, .none:
        let by = evaluation.decidedBy.map { " (\($0))" } ?? ""
        return .wrong(
          "its SPF record does not let \(address.text) send\(by), which is this host",
          hint: "`mailhost dns` has one that does; add what else may send")
      }
    }
    if settings.smarthost != nil, domain != host {
      return .remark("can be read; whether it lets the smarthost send is not known here: \(text)")
    }
    if reachable.isEmpty {
      return .unknown("this host's addresses are not known", hint: "set addresses in [dns] of mailhost.toml")
    }
    if record.redirect == nil, !record.directives.contains(where: { $0.mechanism == .all }) {
      return .remark("lets this host send, and says nothing of others", hint: "end it with ~all or -all")
    }
    if record.directives.contains(where: { $0.mechanism == .all && $0.qualifier == .neutral }) {
      return .remark("lets this host send, and others as well (?all)", hint: "end it with ~all or -all")
    }
    return .right("lets this host send: \(text)")
  }

  private func checkKeys(_ domain: String) {
    guard let keys = facts.keys else {
      add(domain, .dkim, .required, .unknown(facts.keysAreUnknown))
      return
    }
    let own = keys.filter { $0.record.domain == domain }
    if !own.contains(where: \.signs), settings.selector != nil, settings.spamFilter {
      add(
        domain, .dkim, .required,
        .missing("there is no key that signs", hint: "`mailhost dkim generate \(shellWord(domain))`"))
    }
    for key in own {
      let seen: RecordVisibility
      do throws(DNSError) {
        seen = RecordVisibility(try view.everywhere(key.record.name, .txt), of: key.record, forms: key.forms)
      } catch {
        seen = RecordVisibility(unknown: error.text)
      }
      findings.append(finding(key, seen))
    }
  }

  private func finding(_ key: RecordFacts.Key, _ seen: RecordVisibility) -> DNSFinding {
    let hint = "`mailhost dkim records \(key.record.domain)` has the record"
    let verdict: RecordVerdict
    if let unknown = seen.unknown {
      verdict = .unknown("cannot be looked at: \(unknown)")
    } else if seen.isInZone, seen.absent.isEmpty, seen.other.isEmpty {
      // One that does not answer at all has a finding of its own.
      verdict = .right(key.signs ? "every server shows the key that signs" : "every server shows the next key")
    } else if !seen.shown.isEmpty {
      verdict = RecordVerdict(
        result: .notEverywhere, text: seen.obstacles.joined(separator: "; "), hint: "it comes with time")
    } else if seen.absent.isEmpty, seen.other.isEmpty {
      verdict = .unknown("nobody answers: " + seen.obstacles.joined(separator: "; "))
    } else if !key.signs {
      verdict = .missing("the next key is not shown yet", hint: hint)
    } else if seen.other.isEmpty {
      verdict = .missing("mail is signed with it, and nobody can verify that: there is no record", hint: hint)
    } else {
      let other = Set(seen.other.values).sorted().joined(separator: ", ")
      verdict = .wrong("mail is signed with it, and the DNS shows \(other)", hint: hint)
    }
    return DNSFinding(
      key.record.name, .dkim, key.signs ? .required : .optional, verdict.result, verdict.text, hint: verdict.hint)
  }

  // MARK: Mail programs

  private func srv(_ service: String, _ port: UInt16?, _ domain: String) -> RecordVerdict {
    judge.verdict("_\(service)._tcp.\(domain)", .srv) { records in
      let targets = records.compactMap { record -> (port: UInt16, target: String)? in
        if case .srv(_, _, let port, let target) = record.data { (port, target) } else { nil }
      }
      let hint = "`mailhost dns \(domain)` has the record"
      guard let port else {
        if targets.isEmpty { return .missing("does not say that there is no \(service)", hint: hint) }
        return targets.allSatisfy(\.target.isEmpty)
          ? .right("not offered")
          : .wrong(
            "names \(targets.map(\.target).joined(separator: ", ")) for \(service), which this host does not offer",
            hint: hint)
      }
      if targets.isEmpty { return .missing("is not there", hint: hint) }
      if targets.contains(where: { $0.port == port && self.isThisHost($0.target) }) {
        return .right("\(self.host), port \(port)")
      }
      let others = targets.map { $0.target.isEmpty ? "nothing" : "\($0.target), port \($0.port)" }
      return .wrong("names \(others.joined(separator: "; ")), and this host has port \(port)", hint: hint)
    }
  }

  func check(silent name: String) {
    let verdict = judge.verdict(name, .txt) { records in
      let texts = records.compactMap(\.text).filter(isSPF)
      guard texts.count == 1, let text = texts.first else {
        return .missing("does not say that no mail comes from it", hint: "`mailhost dns \(name)` has the record")
      }
      let words = text.split(separator: " ").dropFirst().map { $0.lowercased() }
      return words == ["-all"]
        ? .right("says that no mail comes from it") : .wrong("lets others send mail in its name: \(text)")
    }
    add(name, .silence, .recommended, verdict)
  }
}
