import DNS
import Text

/// Who shows the record of a key.
public struct RecordVisibility: Equatable, Sendable {
  /// Who shows it.
  public var shown: [String] = []
  /// Whether a server of the zone is among them: what resolvers have may be what they had.
  public var isInZone = false
  /// Who says that there is none.
  public var absent: [String] = []
  /// Who shows something else there, and what.
  public var other: [String: String] = [:]
  /// Servers that answer nobody, and how: whoever asks them goes on to the next one.
  public var refusing: [String: String] = [:]
  /// Who does not answer now, and might say anything when it does again.
  public var failing: [String: String] = [:]
  /// Why nobody could be asked at all.
  public var unknown: String?
  /// Names that the name stands for, in their order.
  public var aliases: [String] = []

  public init() {}

  /// Nobody could be asked.
  public init(unknown: String) { self.unknown = unknown }

  /// - Parameter sightings: of each server of the zone, and each resolver.
  public init(_ sightings: [Sighting], of record: KeyRecord, forms: [String]) {
    for sighting in sightings {
      let source = sighting.sourceText
      switch sighting.outcome {
      case .records(let records):
        judge(records, source, record, forms)
        if case .authoritative = sighting.source, shown.last == source { isInZone = true }
      case .nothing: absent.append(source)
      // What it stands for was asked for as well.
      case .alias(let target): if !aliases.contains(target) { aliases.append(target) }
      case .failure(let failure):
        if case .authoritative = sighting.source, failure.isRefusal {
          refusing[source] = failure.text
        } else if case .nameless = sighting.source {
          refusing[source] = failure.text
        } else {
          failing[source] = failure.text
        }
      }
    }
  }

  private static let noKey = "a text that is no key"

  private mutating func judge(_ records: [DNSRecord], _ source: String, _ record: KeyRecord, _ forms: [String]) {
    let keys = records.compactMap(\.text).map { TagList($0) }.filter { $0["p"] != nil }
    if keys.isEmpty {
      other[source] = Self.noKey
    } else if keys.count > 1 {
      other[source] = "\(keys.count) keys at one name"
    } else {
      switch Self.fault(of: keys[0], record, forms) {
      case nil: shown.append(source)
      case let fault?: other[source] = fault
      }
    }
  }

  /// Why a verifier would not take it for this key; nil: it would.
  private static func fault(of tags: TagList, _ record: KeyRecord, _ forms: [String]) -> String? {
    // One name that is none makes all of it void (section 3.2): a web form has kept the quotes, or escaped the semicolons.
    if let name = tags.names.first(where: { !isTagName($0) }) { return "a text with \(name)= in it, which is no key" }
    if let version = tags["v"], version != "DKIM1" || tags.firstName != "v" { return "a record of another version" }
    guard let key = tags.compact("p"), !key.isEmpty else { return "a key that was revoked (p= is empty)" }
    if !forms.contains(key) {
      return forms.contains { $0.hasPrefix(key) } ? "a key that was cut short" : "another key"
    }
    if (tags["k"]?.lowercased() ?? "rsa") != record.algorithm.rawValue { return "a key of another type (k=)" }
    if let hashes = tags.list("h"), !hashes.contains("sha256") { return "a key that is not for sha256 (h=)" }
    if let services = tags.list("s"), !services.contains("*"), !services.contains("email") {
      return "a key that is not for mail (s=)"
    }
    return nil
  }

  private static func isTagName(_ name: String) -> Bool {
    guard let first = name.first, first.isASCII, first.isLetter else { return false }
    return name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
  }

  /// Whether everybody who asks gets the record: each server that answers at all, and each resolver.
  public var isEverywhere: Bool {
    unknown == nil && isInZone && absent.isEmpty && other.isEmpty && failing.isEmpty
  }

  /// Whether anybody shows any key at the name, be it revoked.
  public var hasKey: Bool { !shown.isEmpty || other.values.contains { $0 != Self.noKey } }

  /// Whether nobody gets it.
  public var isNowhere: Bool {
    unknown == nil && shown.isEmpty && failing.isEmpty && !absent.isEmpty
      // Revoked is as good as gone.
      && other.values.allSatisfy { $0.hasPrefix("a key that was revoked") }
  }

  /// What holds it up, a line for each server; empty when nothing does.
  public var obstacles: [String] {
    if let unknown { return [unknown] }
    return absent.sorted().map { "\($0) does not show it yet" }
      + other.sorted { $0.key < $1.key }.map { "\($0.key) shows \($0.value)" }
      + failing.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
  }

  /// What holds nothing up, and should be known.
  public var remarks: [String] { refusing.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" } }
}
