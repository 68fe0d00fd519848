/// A DKIM key record as in the file that `rspamadm dkim_keygen` writes for the zone (RFC 6376, section 3.6.1).
struct DKIMRecord: Equatable {
  /// `k=`, in lower case; "rsa" when absent.
  var algorithm: String
  /// `p=` without white space; empty means revoked.
  var publicKey: String

  /// Every record in the text: an old one may stand before the one that counts.
  static func all(inZoneText text: String) -> [DKIMRecord] {
    characterStrings(text).flatMap(split).compactMap(DKIMRecord.init(text:))
  }

  /// Nil when there is no `p=` in the text.
  private init?(text: some StringProtocol) {
    var tags: [String: String] = [:]
    for part in text.split(separator: ";") {
      guard let equals = part.firstIndex(of: "=") else { continue }
      let name = String(part[..<equals].filter { !$0.isWhitespace }).lowercased()
      let value = String(part[part.index(after: equals)...].filter { !$0.isWhitespace })
      if tags[name] == nil { tags[name] = value }
    }
    guard let key = tags["p"] else { return nil }
    publicKey = key
    algorithm = tags["k"]?.lowercased() ?? "rsa"
  }

  init(algorithm: String, publicKey: String) {
    self.algorithm = algorithm
    self.publicKey = publicKey
  }

  /// At each version tag: it must be the first of a record.
  private static func split(_ text: String) -> [Substring] {
    let start = "v=dkim1"
    var pieces: [Substring] = []
    var begin = text.startIndex
    var place = text.startIndex
    while place < text.endIndex {
      if place > begin, text[place...].prefix(start.count).lowercased() == start {
        pieces.append(text[begin..<place])
        begin = place
      }
      place = text.index(after: place)
    }
    return pieces + [text[begin...]]
  }

  /// The quoted strings of each record joined, as DNS joins the strings of one TXT record (RFC 1035, section 5.1: `\` quotes, `;`
  /// outside begins a comment). The text itself when nothing is quoted, without the `\` that tools put before each `;`.
  private static func characterStrings(_ text: String) -> [String] {
    guard text.contains("\"") else { return [text.filter { $0 != "\\" }] }
    var records = [""]
    var word = ""
    var isQuoted = false
    var isEscaped = false
    var isComment = false
    for character in text {
      if isComment {
        isComment = !character.isNewline
      } else if isEscaped {
        isEscaped = false
        if isQuoted { records[records.count - 1].append(character) }
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
      } else if isQuoted {
        records[records.count - 1].append(character)
      } else if character == ";" {
        isComment = true
      } else if character.isWhitespace || character == "(" {
        // The type begins the data of another record.
        if word.uppercased() == "TXT", !records[records.count - 1].isEmpty { records.append("") }
        word = ""
      } else {
        word.append(character)
      }
    }
    return records
  }
}
