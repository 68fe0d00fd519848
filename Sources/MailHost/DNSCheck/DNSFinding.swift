/// What was found about one thing in the DNS.
public struct DNSFinding: Equatable, Sendable {
  public enum Result: String, Codable, Sendable {
    case right
    /// Right, with something that should be known.
    case remark
    /// Some servers have what is right, others not: it comes with time, or does not.
    case notEverywhere = "not everywhere yet"
    case missing
    case wrong
    /// Nobody could be asked.
    case unknown
  }

  /// What of the DNS it is about.
  public enum Subject: String, CaseIterable, Sendable {
    case a, aaaa, reverse, alias, greeting, tlsa, caa, listed, servers
    case mx, spf, dkim, dmarc, silence, srv, autoconfig
    case mtaSTS = "mta-sts"
    case tlsReports = "tls-rpt"
  }

  /// The name or address.
  public var about: String
  public var subject: Subject
  public var rank: RecordRank
  public var result: Result
  public var text: String
  public var hint: String?
  /// Of `listed`: which list.
  public var list: String?
  /// Why nobody wants to hear of it, and until which day; nil: it counts.
  public var muted: String?

  public init(
    _ about: String, _ subject: Subject, _ rank: RecordRank, _ result: Result, _ text: String, hint: String? = nil
  ) {
    self.about = about
    self.subject = subject
    self.rank = rank
    self.result = result
    self.text = text
    self.hint = hint
  }

  /// What `[[dns.mute]]` calls it.
  public var name: String { "\(about) \(list ?? subject.rawValue)" }

  /// How bad it is: 0 good, 1 a warning, 2 mail does not come or is refused.
  public var severity: Int {
    if muted != nil { return 0 }
    return switch result {
    case .right, .remark: 0
    case .missing: rank == .required ? 2 : rank == .recommended ? 1 : 0
    case .wrong: rank == .required ? 2 : 1
    case .notEverywhere, .unknown: 1
    }
  }
}
