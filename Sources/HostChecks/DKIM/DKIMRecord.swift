/// A DKIM key record as in the file that `rspamadm dkim_keygen` writes for the zone (RFC 6376, section 3.6.1).
struct DKIMRecord: Equatable {
  /// `k=`, in lower case; "rsa" when absent.
  var algorithm: String
  /// `p=` without white space; empty means revoked.
  var publicKey: String

  /// Nil when there is no `p=` in the text.
  init?(zoneText text: String) {
    var tags: [String: String] = [:]
    for part in Self.characterStrings(text).split(separator: ";") {
      guard let equals = part.firstIndex(of: "=") else { continue }
      let name = part[..<equals].filter { !$0.isWhitespace }.lowercased()
      let value = part[part.index(after: equals)...].filter { !$0.isWhitespace }
      if tags[name] == nil { tags[name] = value }
    }
    guard let key = tags["p"] else { return nil }
    publicKey = key
    algorithm = tags["k"]?.lowercased() ?? "rsa"
  }

  /// The quoted strings joined, as DNS joins the strings of one TXT record (RFC 1035, section 5.1: `\` quotes, `;` outside
  /// begins a comment); the text itself when nothing is quoted.
  private static func characterStrings(_ text: String) -> String {
    guard text.contains("\"") else { return text }
    var result = ""
    var isQuoted = false
    var isEscaped = false
    var isComment = false
    for character in text {
      if isComment {
        isComment = !character.isNewline
      } else if isEscaped {
        isEscaped = false
        if isQuoted { result.append(character) }
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
      } else if isQuoted {
        result.append(character)
      } else if character == ";" {
        isComment = true
      }
    }
    return result
  }
}
