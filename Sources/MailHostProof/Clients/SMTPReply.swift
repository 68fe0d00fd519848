import HostChecks

/// What an SMTP server answers (RFC 5321, 4.2).
struct SMTPReply: Equatable {
  var code: Int
  /// The texts after the codes.
  var texts: [String]

  /// 2xx, and 3xx where more is awaited.
  var isAccepted: Bool { (200..<400).contains(code) }
  /// 4xx: not now.
  var isDeferred: Bool { (400..<500).contains(code) }
  /// 5xx: never.
  var isRefused: Bool { (500..<600).contains(code) }

  /// The server's own line, for people.
  var line: String { printable("\(code) \(texts.joined(separator: " "))", limit: 160) }

  /// The keywords of an answer to EHLO, without the line that greets.
  func offers(_ keyword: String) -> Bool {
    texts.dropFirst().contains {
      $0.uppercased().split(whereSeparator: { $0 == " " || $0 == "=" }).first == keyword[...]
    }
  }
}
