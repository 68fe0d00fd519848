import DNS
import Text

extension DNSCheck {
  // MARK: DMARC

  func dmarc(_ domain: String) -> RecordVerdict {
    // Of a name below a domain the policy of the one above counts.
    let above = domain.split(separator: ".").count > 2 ? inheritedPolicy(domain) : nil
    return judge.verdict("_dmarc.\(domain)", .txt) { records in
      let texts = records.compactMap(\.text).filter(DMARCRecord.isOne)
      guard let text = texts.first else {
        if let above { return .right("has that of \(above)") }
        let other = records.compactMap(\.text).first { $0.lowercased().hasPrefix("v=dmarc1") }
        return other.map { .wrong("\"\($0)\" is no DMARC record: it begins with v=DMARC1;") }
          ?? .missing(
            "says nothing of mail in its name that is not its own", hint: "`mailhost dns \(domain)` has the record")
      }
      guard texts.count == 1 else {
        return .wrong("has \(texts.count) DMARC records, so that none counts", hint: "leave one of them")
      }
      let record: DMARCRecord
      do throws(DMARCRecord.Fault) { record = try DMARCRecord(text) } catch {
        return .wrong("its DMARC record counts for nothing: \(error.text)")
      }
      if let closed = self.closedReports(record, domain) {
        return .remark(
          "reports to \(closed) are not sent: that domain does not agree",
          hint: "there, TXT \(domain)._report._dmarc.\(closed) \"v=DMARC1\"")
      }
      return record.policy == .none
        ? .remark("has others do nothing (p=none)", hint: "once the reports are good: p=quarantine")
        : .right("p=\(record.policy.rawValue)")
    }
  }

  private func inheritedPolicy(_ domain: String) -> String? {
    var name = domain.split(separator: ".").dropFirst().joined(separator: ".")
    while name.contains(".") {
      if case .success(let records) = found("_dmarc.\(name)", .txt),
        records.compactMap(\.text).contains(where: DMARCRecord.isOne)
      {
        return name
      }
      name = name.split(separator: ".").dropFirst().joined(separator: ".")
    }
    return nil
  }

  /// A domain that reports are to be sent to, and that does not say that it wants them (section 7.1).
  private func closedReports(_ record: DMARCRecord, _ domain: String) -> String? {
    record.reportDomains.first { target in
      // Of one organisation; which that is nobody can know without a list.
      guard !isName(target, within: domain), !isName(domain, within: target) else { return false }
      guard case .success(let records) = found("\(domain)._report._dmarc.\(target)", .txt) else { return false }
      return !records.compactMap(\.text).contains(where: DMARCRecord.isOne)
    }
  }

  // MARK: MTA-STS

  func checkPolicy(_ domain: String) {
    let isOurs = settings.web.root != nil
    let policy = MTASTSPolicy(mode: settings.web.mtaSTS, hostName: settings.hostName)
    var hasRecord = false
    let verdict = judge.verdict("_mta-sts.\(domain)", .txt) { records in
      let texts = records.compactMap(\.text).filter { $0.hasPrefix("v=STSv1") }
      guard let text = texts.first else {
        return .missing(
          "senders are not told that mail comes encrypted", hint: "`mailhost dns \(domain)` has the records")
      }
      hasRecord = true
      guard texts.count == 1, let id = TagList(text)["id"], (1...32).contains(id.utf8.count) else {
        return .wrong("its record cannot be used: one with v=STSv1; id=… is needed")
      }
      return isOurs && id != policy.id
        ? .wrong(
          "its id is that of another policy: senders keep the one they have",
          hint: "the record is to be: \(policy.record)")
        : .right("id \(id)")
    }
    if !isOurs, !hasRecord { return }
    add(domain, .mtaSTS, .recommended, verdict.isGood && hasRecord ? fetched(domain, verdict) : verdict)
  }

  private func fetched(_ domain: String, _ verdict: RecordVerdict) -> RecordVerdict {
    let url = "https://mta-sts.\(domain)\(MTASTSPolicy.path)"
    let text: String
    switch fetch(url) {
    case .failure(let failure):
      return .wrong(
        "the record is there, and the policy cannot be fetched from \(url): \(failure.text)",
        hint: "`mailhost web` writes it, and has the lines for the web server")
    case .success(let got): text = got
    }
    let lines = text.split { $0 == "\n" || $0 == "\r\n" }.map { line in
      line.split(separator: ":", maxSplits: 1).map { part in String(part.filter { !$0.isWhitespace }) }
    }.filter { $0.count == 2 }
    let mode = lines.first { $0[0] == "mode" }?[1]
    guard lines.first == ["version", "STSv1"], let mode,
      lines.contains(where: { $0[0] == "max_age" && UInt32($0[1]) != nil })
    else { return .wrong("what \(url) has is no policy") }
    let hosts = lines.filter { $0[0] == "mx" }.map { canonicalName($0[1]) }
    let covers = hosts.contains { pattern in
      pattern == host
        || pattern.hasPrefix("*.")
          && host.split(separator: ".").dropFirst().joined(separator: ".") == pattern.dropFirst(2)
    }
    if mode != "none", !covers {
      return .wrong(
        "its policy names \(hosts.joined(separator: ", ")), not this host"
          + (mode == "enforce" ? ": senders that obey it deliver nothing" : ""), hint: "`mailhost web` writes it anew")
    }
    return .right("mode \(mode)")
  }

  func tlsReports(_ domain: String) -> RecordVerdict {
    judge.verdict("_smtp._tls.\(domain)", .txt) { records in
      let texts = records.compactMap(\.text).filter { $0.hasPrefix("v=TLSRPTv1") }
      guard let text = texts.first else {
        return .missing("asks for no reports of failed encryption", hint: "`mailhost dns \(domain)` has the record")
      }
      guard texts.count == 1, let address = TagList(text)["rua"],
        address.lowercased().hasPrefix("mailto:") || address.lowercased().hasPrefix("https:")
      else { return .wrong("its record cannot be used: one with v=TLSRPTv1; rua=mailto:… is needed") }
      return .right(address)
    }
  }
}
