import DNS

/// What somebody's records of a name are worth.
struct RecordVerdict: Equatable {
  var result: DNSFinding.Result
  var text: String
  var hint: String?
  /// Whether it is an answer for this place alone, as resolvers give it that know `/etc/hosts` or have a view of their own.
  var isLocal = false

  static func right(_ text: String) -> Self { Self(result: .right, text: text) }
  static func remark(_ text: String, hint: String? = nil) -> Self { Self(result: .remark, text: text, hint: hint) }
  static func missing(_ text: String, hint: String? = nil) -> Self { Self(result: .missing, text: text, hint: hint) }
  static func wrong(_ text: String, hint: String? = nil) -> Self { Self(result: .wrong, text: text, hint: hint) }
  static func local(_ text: String, hint: String? = nil) -> Self {
    var verdict = wrong(text, hint: hint)
    verdict.isLocal = true
    return verdict
  }
  static func unknown(_ text: String, hint: String? = nil) -> Self { Self(result: .unknown, text: text, hint: hint) }

  var isGood: Bool { result == .right || result == .remark }
}

/// Asks every server of a zone and every resolver, has each answer judged, and says what all of them come to.
final class RecordJudge {
  private let view: DNSView
  /// Servers that did not answer as they should, for each zone, and what they do instead.
  private(set) var trouble: [String: [String: Sighting.Failure]] = [:]

  init(_ view: DNSView) { self.view = view }

  func verdict(
    _ name: String, _ type: DNSType, _ judge: ([DNSRecord]) -> RecordVerdict
  ) -> RecordVerdict {
    let sightings: [Sighting]
    do throws(DNSError) {
      sightings = try view.everywhere(name, type)
    } catch {
      return .unknown("cannot be looked at: \(error.text)")
    }
    var said: [(who: String, isResolver: Bool, verdict: RecordVerdict)] = []
    var isBogus = false
    for sighting in sightings {
      let isResolver = if case .resolver = sighting.source { true } else { false }
      switch sighting.outcome {
      case .records(let records): said.append((sighting.sourceText, isResolver, judge(records)))
      case .nothing: said.append((sighting.sourceText, isResolver, judge([])))
      // What it stands for was asked for as well.
      case .alias: continue
      case .failure(let failure):
        if failure == .bogus { isBogus = true }
        if let zone = try? view.zone(of: sighting.name) { trouble[zone, default: [:]][sighting.sourceText] = failure }
      }
    }
    if isBogus {
      return .wrong(
        "is not believed: its signatures are wrong (DNSSEC)",
        hint: "`delv \(name) \(type.text)` says why; sign the zone anew, or take the DS record out at the registrar")
    }
    return together(said, sightings)
  }

  private func together(
    _ said: [(who: String, isResolver: Bool, verdict: RecordVerdict)], _ sightings: [Sighting]
  ) -> RecordVerdict {
    let owners = said.filter { !$0.isResolver }
    guard let first = owners.first ?? said.first else {
      return .unknown(
        "nobody answers: "
          + sightings.compactMap { sighting -> String? in
            guard case .failure(let failure) = sighting.outcome else { return nil }
            return "\(sighting.sourceText) \(failure.text)"
          }.joined(separator: "; "))
    }
    let bad = said.filter { !$0.verdict.isGood }
    if bad.isEmpty { return said.map(\.verdict).first { $0.result == .remark } ?? first.verdict }
    // What resolvers have may be what the zone had.
    guard
      let good = owners.first(where: \.verdict.isGood) ?? (owners.isEmpty ? said.first(where: \.verdict.isGood) : nil)
    else { return owners.first?.verdict ?? bad[0].verdict }
    if bad.allSatisfy({ $0.isResolver && $0.verdict.isLocal }) {
      return .remark(
        "\(good.verdict.text); \(bad[0].who) has its own answer: \(bad[0].verdict.text)",
        hint: "is it in /etc/hosts? Others see what the servers of the zone have")
    }
    return RecordVerdict(
      result: .notEverywhere,
      text: bad.map { "\($0.who): \($0.verdict.text)" }.joined(separator: "; ") + "; elsewhere: \(good.verdict.text)",
      hint: "it comes with time; after a day see whether that server gets the zone at all")
  }
}
