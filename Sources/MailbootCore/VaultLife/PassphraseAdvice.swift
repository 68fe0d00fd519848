/// What may be wrong with a new passphrase. A person is told, and decides; nothing here refuses one.
public enum PassphraseAdvice: CaseIterable, Equatable, Sendable {
  /// Fewer than 12 characters: a stolen disk is tried against lists for as long as the thief likes.
  case short
  /// One of those that everybody tries first, or one character or row of keys again and again.
  case common
  /// Characters that another keyboard layout has elsewhere.
  case layout
  /// A blank at its beginning or end, which nobody sees on paper.
  case blankAtAnEnd

  /// Of the bytes of a passphrase; makes no copy of them.
  public static func about(_ bytes: UnsafeRawBufferPointer) -> [PassphraseAdvice] {
    var advice: [PassphraseAdvice] = []
    // A byte that continues a character of UTF-8 is no character of its own.
    if bytes.count(where: { $0 & 0xC0 != 0x80 }) < 12 { advice.append(.short) }
    if isCommon(bytes) { advice.append(.common) }
    if bytes.contains(where: movesBetweenLayouts) { advice.append(.layout) }
    if bytes.first == 0x20 || bytes.last == 0x20 { advice.append(.blankAtAnEnd) }
    return advice
  }

  /// A sentence each.
  public var text: String {
    switch self {
    case .short:
      "it is short: four or five words that have nothing to do with each other are easier to type and harder to guess"
    case .common: "it is one of those that are tried first"
    case .layout:
      "it has y, z, signs or letters with accents, which another keyboard layout types elsewhere: the one of the console after a "
        + "reboot, say. Is it the same there?"
    case .blankAtAnEnd: "it begins or ends with a blank"
    }
  }

  /// Latin letters and digits are where they are on the keyboards of most of Europe and America, but for y and z; on French ones
  /// more has moved, and whoever uses one knows it.
  private static func movesBetweenLayouts(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "y"), UInt8(ascii: "z"), UInt8(ascii: "Y"), UInt8(ascii: "Z"): true
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): false
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: " "), UInt8(ascii: "."), UInt8(ascii: ","): false
    default: true
    }
  }

  private static func isCommon(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard !bytes.isEmpty else { return true }
    // With the digits and signs that people put behind a word.
    let core = bytes.count - bytes.reversed().prefix { !isLetter($0) }.count
    if words.contains(where: { isEqual(bytes[..<core], $0) || isEqual(bytes[...], $0) }) { return true }
    if rows.contains(where: { isRun(bytes, in: $0) }) { return true }
    return bytes.allSatisfy { $0 == bytes[0] }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte >= 0x80 }

  private static func isEqual(_ bytes: Slice<UnsafeRawBufferPointer>, _ word: StaticString) -> Bool {
    word.withUTF8Buffer { word in
      word.count == bytes.count && zip(bytes, word).allSatisfy { (isLetter($0) ? $0 | 0x20 : $0) == $1 }
    }
  }

  /// Whether it goes along a row of keys, once or again and again.
  private static func isRun(_ bytes: UnsafeRawBufferPointer, in row: StaticString) -> Bool {
    row.withUTF8Buffer { row in
      guard bytes.count > 3, let first = row.firstIndex(of: bytes[0] | (isLetter(bytes[0]) ? 0x20 : 0)) else {
        return false
      }
      var place = first
      for byte in bytes {
        let folded = isLetter(byte) ? byte | 0x20 : byte
        guard place < row.count && row[place] == folded || folded == row[0] else { return false }
        place = place < row.count && row[place] == folded ? place + 1 : 1
      }
      return true
    }
  }

  private static let rows: [StaticString] = [
    "1234567890", "0987654321", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "yxcvbnm", "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
  ]

  /// In lower case. What published lists of stolen passwords begin with, and what a mail server suggests.
  private static let words: [StaticString] = [
    "password", "passwort", "passw0rd", "p@ssword", "p@ssw0rd", "motdepasse", "passphrase", "secret", "geheim", "admin",
    "administrator", "root", "toor", "changeme", "letmein", "welcome", "willkommen", "login", "hello", "hallo", "test",
    "testing",
    "default", "guest", "master", "monkey", "dragon", "sunshine", "princess", "football", "baseball", "superman",
    "batman",
    "iloveyou", "ichliebedich", "trustno1", "shadow", "michael", "jesus", "whatever", "starwars", "mailserver",
    "mailhost", "mailboot",
    "email", "postfix", "dovecot", "debian", "linux", "ubuntu", "vault", "encrypted", "correct horse battery staple",
    "correcthorsebatterystaple", "schatz", "azerty", "qwerty", "qwertz", "1q2w3e4r", "1qaz2wsx", "q1w2e3r4", "abc123",
    "pass", "god",
  ]
}
