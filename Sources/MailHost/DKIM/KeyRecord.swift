import Text

/// The record that lets others verify what a key has signed: `SELECTOR._domainkey.DOMAIN` (RFC 6376, section 3.6.1).
public struct KeyRecord: Equatable, Sendable {
  public var domain: String
  public var selector: String
  public var algorithm: KeyAlgorithm
  /// Base64.
  public var publicKey: String

  public init(domain: String, selector: String, algorithm: KeyAlgorithm, publicKey: String) {
    self.domain = domain
    self.selector = selector
    self.algorithm = algorithm
    self.publicKey = publicKey
  }

  /// The name within the domain's zone, as most web forms want it.
  public var label: String { "\(selector)._domainkey" }

  public var name: String { "\(label).\(domain)" }

  /// In one piece.
  public var text: String { "v=DKIM1; k=\(algorithm.rawValue); p=\(publicKey)" }

  /// In strings of at most 255 bytes, as a zone file wants it (RFC 1035, section 3.3.14).
  public var quotedText: String { quotedStrings(text) }

  /// A line of a zone file, and what lies in `DOMAIN.SELECTOR.txt` beside the key.
  public var zoneLine: String { "\(label) IN TXT ( \(quotedText) ) ;\n" }

  /// What is said at a name that must not be used any more: a key that is revoked (section 3.6.1, `p=`).
  public static let revoked = "v=DKIM1; p="
}

/// A text as quoted strings of at most 255 bytes each, for a zone file.
public func quotedStrings(_ text: String) -> String { quotedStrings(Array(text.utf8)) }

/// Bytes as quoted strings of at most 255 bytes each, for a zone file (RFC 1035, section 5.1): what somebody else has written there can
/// end no line.
func quotedStrings(_ bytes: [UInt8]) -> String {
  var pieces: [String] = []
  var rest = bytes[...]
  repeat {
    pieces.append("\"" + rest.prefix(255).map(escapedInZone).joined() + "\"")
    rest = rest.dropFirst(255)
  } while !rest.isEmpty
  return pieces.joined(separator: " ")
}

private func escapedInZone(_ byte: UInt8) -> String {
  switch byte {
  case UInt8(ascii: "\""), UInt8(ascii: "\\"): "\\" + String(Unicode.Scalar(byte))
  case 0x20...0x7e: String(Unicode.Scalar(byte))
  default: "\\" + (byte < 100 ? byte < 10 ? "00" : "0" : "") + String(byte)
  }
}
