/// Where in the DNS the record of a key lies, and how it comes there.
public struct RecordPlace: Equatable, Sendable {
  /// The name at which the TXT record itself is.
  public var name: String
  public var publishing: NameService.Publishing
}

extension NameService {
  /// The selectors of a domain whose zone leads here once and for all.
  public static func fixedSelectors(_ algorithm: KeyAlgorithm) -> [String] {
    ["mailhost1", "mailhost2"].map { $0 + (algorithm == .ed25519 ? "e" : "") }
  }

  public func place(of record: KeyRecord) -> RecordPlace {
    let own = publishing(of: record.domain)
    guard own.way == .cname else { return RecordPlace(name: record.name, publishing: own) }
    guard let base = own.cnameBase, Self.fixedSelectors(record.algorithm).contains(record.selector) else {
      // A key of before: its record is in the domain's own zone, which a person changes.
      return RecordPlace(name: record.name, publishing: Publishing())
    }
    // It comes to this host's own domain as all of that one's records do.
    return RecordPlace(name: "\(record.selector).\(record.domain).\(base)", publishing: publishing)
  }
}
