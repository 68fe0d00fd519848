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
    for wanted in all {
      let record = wanted.record
      guard wanted.unless == nil, !wanted.isReverse else { continue }
      let lines = changes(wanted, present)
      guard !lines.isEmpty else { continue }
      let zone = present.zone(of: record.name) ?? guessedZone(of: record.name)
      let index =
        zones.firstIndex { $0.name == zone }
        ?? {
          zones.append((zone, []))
          return zones.count - 1
        }()
      // The other address of a name comes beside the first.
      zones[index].lines += lines.filter { !$0.hasPrefix("update delete") || !zones[index].lines.contains($0) }
    }
    let text = zones.map { zone in
      (["zone \(zone.name)."] + zone.lines + ["send"]).map { $0 + "\n" }.joined()
    }
    return (notes + (zones.isEmpty ? ["there is nothing to change"] : [])).map { "; \($0)\n" }.joined() + text.joined()
  }

  private func changes(_ wanted: WantedRecord, _ present: some PresentRecords) -> [String] {
    let record = wanted.record
    let there = present.present(record.name, record.type)
    func add(_ record: DNSRecord) -> String {
      "update add \(record.name). \(record.ttl) \(record.type.text) \(record.zoneData)"
    }
    if let text = record.text, isSPF(text), wanted.isShared { return sender(record, text, there, present).map(add(_:)) }
    if there.contains(where: { $0.data == record.data }) { return [] }
    if wanted.isShared {
      return there.filter { $0.type == .mx }.map { "; there is also: \($0.zoneLine)" } + [add(record)]
    }
    // Whatever the reports go to: it was chosen.
    let texts = there.compactMap(\.text)
    if record.name.hasPrefix("_dmarc."), texts.count == 1, (try? DMARCRecord(texts[0])) != nil,
      DMARCRecord.isOne(texts[0])
    {
      return []
    }
    if record.name.hasPrefix("_smtp._tls."), texts.contains(where: { $0.hasPrefix("v=TLSRPTv1") }) { return [] }
    // An alias and anything else at one name are refused; which one is there now is not known.
    let type = record.type == .cname ? "" : " \(record.type.text)"
    return ["update delete \(record.name).\(type)", add(record)]
  }
}

/// A change of the SPF record of a name.
private struct SPFChange {
  var removed: [DNSRecord]
  var added: DNSRecord

  func map(_ add: (DNSRecord) -> String) -> [String] {
    // By its own strings: another division of the same text is another record.
    removed.map { "update delete \($0.name). TXT \($0.presentation ?? $0.zoneData)" } + [add(added)]
  }
}

/// What becomes of it: a change, nothing, or a word to whoever must decide.
private struct SPFChangeLines {
  let change: SPFChange?
  let manual: String?

  init(_ change: SPFChange?, isManual name: String?) {
    self.change = change
    manual = name
  }

  func map(_ add: (DNSRecord) -> String) -> [String] {
    (manual.map { ["; \($0) has several SPF records, so that none counts: make one of them"] } ?? [])
      + (change?.map(add) ?? [])
  }
}

extension WantedRecords {
  private func sender(
    _ record: DNSRecord, _ text: String, _ there: [DNSRecord], _ present: some PresentRecords
  ) -> SPFChangeLines {
    let own = there.filter { isSPF($0.text ?? "") }
    guard own.count == 1, let before = own[0].text else {
      // None, or so many that none counts.
      return SPFChangeLines(
        own.isEmpty ? SPFChange(removed: [], added: record) : nil, isManual: own.count > 1 ? record.name : nil)
    }
    if present.lets(before, of: record.name) { return SPFChangeLines(nil, isManual: nil) }
    let words = before.split(separator: " ").map(String.init)
    let host = text.split(separator: " ").dropFirst().first.map(String.init) ?? "a"
    var changed = record
    changed.data = .text(Array(([words[0], host] + words.dropFirst()).joined(separator: " ").utf8))
    return SPFChangeLines(SPFChange(removed: own, added: changed), isManual: nil)
  }

  /// A domain of this host's is most often a zone.
  private func guessedZone(of name: String) -> String {
    domains.map(\.name).filter { isName(name, within: $0) }.max { $0.count < $1.count }
      ?? name.split(separator: ".").dropFirst().joined(separator: ".")
  }
}
