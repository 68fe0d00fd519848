/// Checks the octets before the @ and puts them in lower case: this host treats local parts alike whatever their case,
/// because SQLite's `=` does not.
func localPart(_ bytes: ArraySlice<UInt8>) throws(NameProblem) -> String {
  guard !bytes.isEmpty else { throw NameProblem("is empty") }
  if let byte = bytes.first(where: { !isAllowed($0) }) {
    throw refusal(of: byte, in: bytes)
  }
  guard bytes.count <= 64 else { throw NameProblem("is longer than 64 octets") }
  guard bytes.first != dot else { throw NameProblem("begins with a dot") }
  guard bytes.last != dot else { throw NameProblem("ends with a dot") }
  guard !zip(bytes, bytes.dropFirst()).contains(where: { $0 == dot && $1 == dot }) else {
    throw NameProblem("has two dots in a row")
  }
  // allow_min_user is off in postfix: such an address could be taken for an option of the program mail is handed to.
  guard bytes.first != UInt8(ascii: "-") else { throw NameProblem("begins with a hyphen, which postfix refuses") }
  return String(decoding: bytes.map(\.lowerCased), as: UTF8.self)
}

private let dot = UInt8(ascii: ".")

/// atext of RFC 5322 without those that `refusal` explains, and the dot.
private func isAllowed(_ byte: UInt8) -> Bool {
  byte.lowerCased.isLowerCaseLetter || byte.isDigit || "._-+=#$&*?^{}~".utf8.contains(byte)
}

private func refusal(of byte: UInt8, in bytes: ArraySlice<UInt8>) -> NameProblem {
  switch byte {
  case 0x80...:
    let scalar = String(decoding: bytes, as: UTF8.self).unicodeScalars.first { !$0.isASCII } ?? "\u{FFFD}"
    return .contains(scalar, ": only ASCII is accepted, as many hosts accept nothing else (SMTPUTF8)")
  case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "`"):
    return .contains(Unicode.Scalar(byte), ", which does not survive quoting in the lookups of postfix and dovecot")
  case UInt8(ascii: "/"):
    return .contains(Unicode.Scalar(byte), ", which would lead out of the directory of the mailbox")
  case UInt8(ascii: "|"):
    return .contains(Unicode.Scalar(byte), ", which postfix could take for a command")
  // Also while allow_untrusted_routing is off: postfix refuses such mail from outside.
  case UInt8(ascii: "%"), UInt8(ascii: "!"):
    return .contains(Unicode.Scalar(byte), ", which postfix takes for a route to another host")
  default:
    return .contains(Unicode.Scalar(byte))
  }
}
