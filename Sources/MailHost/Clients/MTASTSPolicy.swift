/// The MTA-STS policy of all domains (RFC 8461): senders are to deliver over TLS, to the host of this name, or not at all.
public struct MTASTSPolicy: Equatable, Sendable {
  public enum Mode: String, CaseIterable, Sendable {
    /// Senders report what would not have been delivered (TLSRPT), and deliver it.
    case testing
    case enforce
    /// Takes an earlier policy back.
    case none
  }

  /// Where a web server has it, below its root.
  public static let path = "/.well-known/mta-sts.txt"
  /// How long senders keep it, in seconds: a week. A new one is fetched as soon as the record's id has changed.
  static let maximumAge = 604_800

  public let mode: Mode
  public let hostName: String

  public init(mode: Mode, hostName: String) {
    self.mode = mode
    self.hostName = hostName
  }

  /// Lines end with CRLF (RFC 8461, 3.2).
  public var text: String {
    ["version: STSv1", "mode: \(mode.rawValue)", "mx: \(hostName)", "max_age: \(Self.maximumAge)"]
      .map { $0 + "\r\n" }.joined()
  }

  /// For the record `_mta-sts.DOMAIN`: 32 characters, others as soon as the policy is another.
  public var id: String { String(hexadecimal(sha256(text)).prefix(32)) }

  /// What `_mta-sts.DOMAIN` is to say.
  public var record: String { "v=STSv1; id=\(id);" }

  /// Whether a text is one of these, for any mode and host.
  public static func isOurs(_ text: String) -> Bool {
    // A Character of its own is what CRLF is to Swift.
    let lines = text.split(separator: "\r\n")
    guard let name = lines.first(where: { $0.hasPrefix("mx: ") })?.dropFirst(4) else { return false }
    return Mode.allCases.contains { MTASTSPolicy(mode: $0, hostName: String(name)).text == text }
  }
}
