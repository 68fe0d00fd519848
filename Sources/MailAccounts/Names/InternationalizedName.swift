import CIDN
import Glibc

/// The A-label form of a name with labels of other scripts or with A-labels; octets of ASCII letters are in lower case already.
///
/// Only lower-casing and composition (NFC) are done for the admin. What UTS 46 would map beyond that, or drop without a
/// word, is refused: somebody who pastes a full-width letter or a zero-width joiner does not mean it.
func internationalizedName(_ bytes: [UInt8]) throws(NameProblem) -> [UInt8] {
  // A NUL would end the string for the library.
  guard let name = String(validating: bytes, as: UTF8.self) else { throw NameProblem("is not UTF-8") }
  try checkScalars(name)
  try checkScripts(name)
  let ascii = try converted(name, idn2_to_ascii_8z)
  let unicode = try converted(ascii, idn2_to_unicode_8z8z)
  // A-labels come back as what they stand for, so they are compared in the other direction.
  guard try converted(unicode, idn2_to_ascii_8z) == ascii else {
    throw NameProblem("has an A-label (xn--) that no name is converted to")
  }
  // `==` of strings is canonical equivalence: composed or not does not matter.
  let expected = labels(name.lowercased())
  let mapped = labels(unicode)
  guard expected.count == mapped.count, zip(expected, mapped).allSatisfy({ $0.hasPrefix("xn--") || $0 == $1 }) else {
    let changed = name.unicodeScalars.first { !$0.isASCII && !isKept($0) }
    throw changed.map { .contains($0, ", which IDNA would replace: type the character that is meant") }
      ?? NameProblem("is not what IDNA makes of it (\(ascii)): type that")
  }
  return Array(ascii.utf8)
}

/// A normalised name, or an address with one, with its A-labels as what they stand for; nil if it has none. Older programs may have stored
/// it so, and postfix looks it up so for a client that speaks SMTPUTF8.
func inOwnScript(_ name: String) -> String? {
  let domain = name.utf8.contains(UInt8(ascii: "@")) ? domainPart(name) : name
  guard labels(domain).contains(where: { $0.hasPrefix("xn--") }),
    let unicode = try? converted(domain, idn2_to_unicode_8z8z)
  else { return nil }
  return name.dropLast(domain.count) + unicode
}

private func labels(_ name: String) -> [Substring] { name.split(separator: ".", omittingEmptySubsequences: false) }

private func checkScalars(_ name: String) throws(NameProblem) {
  for scalar in name.unicodeScalars {
    if scalar.isASCII {
      // Not left to the check of the result: libidn2 has its own words for these.
      let byte = UInt8(ascii: scalar)
      guard scalar == "." || scalar == "-" || byte.isDigit || byte.isLowerCaseLetter else {
        throw .contains(scalar, ": only letters, digits, hyphens and dots are allowed")
      }
      continue
    }
    switch scalar.properties.generalCategory {
    case .control: throw .contains(scalar)
    case .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse:
      // Joiners are letters' business in some scripts; there the A-label says it without doubt.
      throw .contains(scalar, ", which cannot be seen")
    default: break
    }
    let lowered = scalar.properties.lowercaseMapping.unicodeScalars
    // U+0130 becomes two scalars, and the Kelvin sign a plain k.
    guard lowered.count == 1, !lowered.first!.isASCII else {
      throw .contains(scalar, ": type the lower-case letter that is meant")
    }
  }
}

/// A label of Latin letters with a Cyrillic or Greek one among them looks like another name. Where it is really meant, its
/// A-label can be given.
private func checkScripts(_ name: String) throws(NameProblem) {
  for label in labels(name) where !label.hasPrefix("xn--") {
    let scripts = Set(label.unicodeScalars.compactMap(LookalikeScript.init))
    if scripts.count > 1 {
      let names = scripts.map(\.rawValue).sorted().joined(separator: " and ")
      throw NameProblem("mixes \(names) letters in one label; if that is meant, type its A-label (xn--…)")
    }
  }
}

/// Scripts with letters that look like those of another.
private enum LookalikeScript: String {
  case latin = "Latin"
  case greek = "Greek"
  case cyrillic = "Cyrillic"
  case armenian = "Armenian"
  case cherokee = "Cherokee"

  init?(_ scalar: Unicode.Scalar) {
    // Blocks of Unicode; × and ÷ (U+00D7, U+00F7) are no letters, but IDNA refuses them anyway.
    switch scalar.value {
    case 0x61...0x7A, 0xC0...0x24F, 0x250...0x2AF, 0x1D00...0x1D7F, 0x1E00...0x1EFF, 0x2C60...0x2C7F, 0xA720...0xA7FF:
      self = .latin
    case 0x370...0x3FF, 0x1F00...0x1FFF: self = .greek
    case 0x400...0x52F, 0x1C80...0x1C8F, 0x2DE0...0x2DFF, 0xA640...0xA69F: self = .cyrillic
    case 0x530...0x58F: self = .armenian
    case 0x13A0...0x13FF, 0xAB70...0xABBF: self = .cherokee
    default: return nil
    }
  }
}

/// Whether IDNA does no more to a scalar than put it in lower case; to find the one to name in a message.
private func isKept(_ scalar: Unicode.Scalar) -> Bool {
  // A combining mark cannot stand alone.
  let base = scalar.properties.generalCategory == .nonspacingMark ? "o" : ""
  guard let ascii = try? converted(base + String(scalar), idn2_to_ascii_8z) else { return false }
  guard let unicode = try? converted(ascii, idn2_to_unicode_8z8z) else { return false }
  return unicode == base + scalar.properties.lowercaseMapping
}

/// A function of libidn2: name, result to be freed, flags.
private typealias Conversion =
  (UnsafePointer<CChar>?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, Int32) -> Int32

private func converted(_ name: String, _ conversion: Conversion) throws(NameProblem) -> String {
  // The STD3 rules are checked on the result. Without NFC_INPUT, decomposed names would be refused.
  let flags = Int32(IDN2_NONTRANSITIONAL.rawValue | IDN2_NFC_INPUT.rawValue | IDN2_USE_STD3_ASCII_RULES.rawValue)
  var output: UnsafeMutablePointer<CChar>?
  let code = name.withCString { conversion($0, &output, flags) }
  defer { idn2_free(output) }
  guard code == Int32(IDN2_OK.rawValue), let output else {
    throw NameProblem("is no name by IDNA2008: \(String(cString: idn2_strerror(code)))")
  }
  return String(cString: output)
}
