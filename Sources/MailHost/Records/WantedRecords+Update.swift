import DNS

/// What is in the zones now, as far as an update has to take it out.
public protocol PresentRecords {
  /// The zone that a name is in; nil: not known.
  func zone(of name: String) -> String?
  /// Records of a name and type as they are now; empty when nobody answers.
  func present(_ name: String, _ type: DNSType) -> [DNSRecord]
}

extension WantedRecords {
  /// Commands for `nsupdate(1)`, one message for each zone.
  ///
  /// Names that are this host's alone are replaced. Where others have records too, the same one is added, and an older SPF record taken
  /// out: of those there may be only one. Nothing else is removed.
  public func update(_ present: some PresentRecords) -> String {
    var zones: [(name: String, lines: [String])] = []
    for wanted in all {
      let record = wanted.record
      guard wanted.unless == nil, !wanted.isReverse else { continue }
      let zone = present.zone(of: record.name) ?? guessedZone(of: record.name)
      let index =
        zones.firstIndex { $0.name == zone }
        ?? {
          zones.append((zone, []))
          return zones.count - 1
        }()
      if !zones[index].lines.contains("update delete \(record.name). \(record.type.text)") {
        zones[index].lines += removals(of: wanted, present)
      }
      zones[index].lines.append("update add \(record.name). \(record.ttl) \(record.type.text) \(record.zoneData)")
    }
    return notes.map { "; \($0)\n" }.joined()
      + zones.map { zone in
        (["zone \(zone.name)."] + zone.lines + ["send"]).map { $0 + "\n" }.joined()
      }.joined()
  }

  private func removals(of wanted: WantedRecord, _ present: some PresentRecords) -> [String] {
    let record = wanted.record
    guard wanted.isShared else {
      // An alias and anything else at one name are refused; which one is there now is not known.
      let other = record.type == .cname ? "" : " \(record.type.text)"
      return ["update delete \(record.name).\(other)"]
    }
    let there = present.present(record.name, record.type)
    if record.text?.hasPrefix("v=spf1") ?? false {
      return there.filter { isSPF($0.text ?? "") && $0.data != record.data }
        .map { "update delete \(record.name). TXT \($0.zoneData)" }
    }
    return there.filter { $0.data != record.data && record.type == .mx }
      .map { "; there is also: \($0.zoneLine)" }
  }

  /// A domain of this host's is most often a zone.
  private func guessedZone(of name: String) -> String {
    domains.map(\.name).filter { isName(name, within: $0) }.max { $0.count < $1.count }
      ?? name.split(separator: ".").dropFirst().joined(separator: ".")
  }
}
