import DNS

/// How much depends on a record.
public enum RecordRank: String, CaseIterable, Sendable, Comparable {
  /// Without it mail does not come, or is refused elsewhere.
  case required
  /// Without it some mail is taken for spam, or something works worse.
  case recommended
  case optional

  public static func < (one: RecordRank, other: RecordRank) -> Bool {
    allCases.firstIndex(of: one)! < allCases.firstIndex(of: other)!
  }
}

/// One record that this host needs in the DNS.
public struct WantedRecord: Equatable, Sendable {
  /// What goes into the zone. Names are whole, in lower case, without the dot at their end.
  public var record: DNSRecord
  public var rank: RecordRank
  /// One sentence for whoever asks why.
  public var reason: String
  /// Why it is not to be published now, and what has to be done first; nil: it is.
  public var unless: String?
  /// Whether other records of the same name and type may belong to somebody else: then an update adds, and removes nothing.
  public var isShared: Bool
  public var name: String { record.name }
  /// Whether it lies with whoever has given out the address, and not in a zone of ours.
  public var isReverse: Bool { record.type == .ptr }

  public init(
    _ name: String, _ type: DNSType, _ data: DNSRecord.Data, _ rank: RecordRank, _ reason: String,
    unless: String? = nil, isShared: Bool = false
  ) {
    record = DNSRecord(canonicalName(name), type, ttl: Self.ttl, data)
    self.rank = rank
    self.reason = reason
    self.unless = unless
    self.isShared = isShared
  }

  /// Seconds. An hour: a mistake is put right soon.
  static let ttl: UInt32 = 3600
}

extension DNSRecord {
  /// What stands behind the type in a zone file.
  public var zoneData: String {
    func absolute(_ name: String) -> String { name + "." }
    return switch data {
    case .address(let address): address
    case .name(let name): absolute(name)
    case .mx(let preference, let host): "\(preference) \(absolute(host))"
    case .text(let bytes): quotedStrings(bytes)
    case .srv(let priority, let weight, let port, let target): "\(priority) \(weight) \(port) \(absolute(target))"
    case .caa(let flags, let tag, let value): "\(flags) \(tag) \(quotedStrings(value))"
    case .tlsa(let usage, let selector, let matching, let data): "\(usage) \(selector) \(matching) \(data)"
    case .soa(let primary, let serial): "\(absolute(primary)) . \(serial) 0 0 0 0"
    case .other(let text): text
    }
  }

  /// A line of a zone file, with the whole name.
  public var zoneLine: String { "\(name). \(ttl) IN \(type.text) \(zoneData)" }
}
