import DNS

/// What is in the zones now, as far as an update has to take it out.
public protocol PresentRecords {
  /// The zone that a name is in; nil: not known.
  func zone(of name: String) -> String?
  /// Records of a name and type as they are now; empty when nobody answers.
  func present(_ name: String, _ type: DNSType) -> [DNSRecord]
  /// Whether an SPF record of a name lets this host send.
  func lets(_ record: String, of name: String) -> Bool
}

extension WantedRecords {
  /// Commands for `nsupdate(1)`, one message for each zone.
  ///
  /// What is right, or stronger, stays as it is: an SPF record that lets this host send, whatever else it says; a policy of DMARC. An SPF
  /// record that does not gets this host put in. Names that are this host's alone are replaced; where others have records, too, nothing is
  /// removed.
  public func update(_ present: some PresentRecords) -> String {
    var zones: [(name: String, lines: [String])] = []
    for same in together() {
      let lines = changes(same, present)
      guard let name = same.first?.name, !lines.isEmpty else { continue }
      let zone = present.zone(of: name) ?? guessedZone(of: name)
      if let index = zones.firstIndex(where: { $0.name == zone }) {
        zones[index].lines += lines
      } else {
        zones.append((zone, lines))
      }
    }
    let text = zones.map { zone in
      (["zone \(zone.name)."] + zone.lines + ["send"]).map { $0 + "\n" }.joined()
    }
    return (notes + (zones.isEmpty ? ["there is nothing to change"] : [])).map { "; \($0)\n" }.joined() + text.joined()
  }

  /// What is to be published now, those of one name and type together: they are removed together, too.
  private func together() -> [[WantedRecord]] {
    var groups: [[WantedRecord]] = []
    for wanted in all where wanted.unless == nil && !wanted.isReverse {
      let index = groups.firstIndex { $0[0].name == wanted.name && $0[0].record.type == wanted.record.type }
      if let index { groups[index].append(wanted) } else { groups.append([wanted]) }
    }
    return groups
  }

  /// - Parameter same: of one name and type.
  private func changes(_ same: [WantedRecord], _ present: some PresentRecords) -> [String] {
    guard let first = same.first else { return [] }
    let (name, type) = (first.name, first.record.type)
    let there = present.present(name, type)
    let texts = there.compactMap(\.text)
    if first.isShared {
      if let text = first.record.text, isSPF(text) { return sender(first.record, text, there, present) }
      let lacking = same.map(\.record).filter { wanted in !there.contains { $0.data == wanted.data } }
      guard !lacking.isEmpty else { return [] }
      return there.filter { $0.type == .mx }.map { "; there is also: \($0.zoneLine)" } + lacking.map(addition)
    }
    if Set(there.map(\.data)) == Set(same.map(\.record.data)) { return [] }
    // Whatever the reports go to: it was chosen.
    if name.hasPrefix("_dmarc."), texts.count == 1, DMARCRecord.isOne(texts[0]), (try? DMARCRecord(texts[0])) != nil {
      return []
    }
    if name.hasPrefix("_smtp._tls."), texts.contains(where: { $0.hasPrefix("v=TLSRPTv1") }) { return [] }
    // An alias and anything else at one name are refused; which one is there now is not known.
    return ["update delete \(name)." + (type == .cname ? "" : " \(type.text)")] + same.map { addition($0.record) }
  }

  private func addition(_ record: DNSRecord) -> String {
    "update add \(record.name). \(record.ttl) \(record.type.text) \(record.zoneData)"
  }

  /// - Parameter text: what the record of a name without one is.
  private func sender(
    _ record: DNSRecord, _ text: String, _ there: [DNSRecord], _ present: some PresentRecords
  ) -> [String] {
    let own = there.filter { isSPF($0.text ?? "") }
    if own.isEmpty { return [addition(record)] }
    guard own.count == 1, let before = own[0].text else {
      return ["; \(record.name) has several SPF records, so that none counts: make one of them"]
    }
    let words = before.split(separator: " ").map(String.init)
    let host = text.split(separator: " ").dropFirst().first.map(String.init) ?? "a"
    // Named already, it lacks only its address, which may be on its way.
    if words.contains(host) || present.lets(before, of: record.name) { return [] }
    var changed = record
    changed.data = .text(Array(([words[0], host] + words.dropFirst()).joined(separator: " ").utf8))
    // By its own strings: another division of the same text is another record.
    return ["update delete \(own[0].name). TXT \(own[0].presentation ?? own[0].zoneData)", addition(changed)]
  }

  /// A domain of this host's is most often a zone.
  private func guessedZone(of name: String) -> String {
    domains.map(\.name).filter { isName(name, within: $0) }.max { $0.count < $1.count }
      ?? name.split(separator: ".").dropFirst().joined(separator: ".")
  }
}
