/// A mail domain in the one form the database has: lower case, A-labels, at least two of them, no dot at the end.
///
/// Letters, digits and hyphens (RFC 1123, 2.1), labels of at most 63 octets, 253 in all (RFC 1035 without the root).
public struct DomainName: Hashable, Sendable {
  /// ASCII.
  public let text: String

  /// Surrounding ASCII white space is dropped; other scripts become A-labels by IDNA2008.
  public init(_ input: String) throws(NameError) {
    do {
      self = try DomainName(bytes: Array(input.utf8)[...].trimmed)
    } catch {
      throw NameError(kind: .domain, input: input, reason: "it \(error.predicate)")
    }
  }

  init(bytes: ArraySlice<UInt8>) throws(NameProblem) {
    // The longest name in UTF-8 has four octets where its A-label has one.
    guard bytes.count <= 4 * Self.limit else { throw Self.tooLong }
    let lowered = bytes.map(\.lowerCased)
    try Self.checkDots(lowered)
    let needsIDNA =
      lowered.contains { $0 >= 0x80 } || lowered.split(separator: Self.dot).contains { $0.starts(with: "xn--".utf8) }
    let name = needsIDNA ? try internationalizedName(lowered) : lowered
    try Self.check(name)
    text = String(decoding: name, as: UTF8.self)
  }

  private static let limit = 253
  private static let tooLong = NameProblem("is longer than \(limit) octets")

  private static func checkDots(_ name: [UInt8]) throws(NameProblem) {
    guard !name.isEmpty else { throw NameProblem("is empty") }
    guard name.first != dot else { throw NameProblem("begins with a dot") }
    // Right in a zone file; in the database postfix would never find it.
    guard name.last != dot else { throw NameProblem("ends with a dot") }
    guard !zip(name, name.dropFirst()).contains(where: { $0 == dot && $1 == dot }) else {
      throw NameProblem("has two dots in a row")
    }
  }

  /// The rules for the ASCII form, without those for dots.
  private static func check(_ name: [UInt8]) throws(NameProblem) {
    try checkCharacters(name)
    let labels = name.split(separator: dot)
    guard name.count <= limit else { throw tooLong }
    for label in labels {
      guard label.count <= 63 else { throw NameProblem("has a label longer than 63 octets") }
      guard label.first != hyphen, label.last != hyphen else {
        throw NameProblem("has a label that begins or ends with a hyphen")
      }
    }
    guard !name.allSatisfy({ $0.isDigit || $0 == dot }) else {
      throw NameProblem("is a number or an IPv4 address")
    }
    // Nobody can send mail from outside to a name without a dot; it is a slip, such as a forgotten ".org".
    guard labels.count > 1 else { throw NameProblem("has no dot: a mail domain looks like example.org") }
    // RFC 1123, 2.1: the top-level label is alphabetic. It also keeps out what some resolvers read as a number, 0x7f.
    guard labels.last!.first!.isLowerCaseLetter else {
      throw NameProblem("has a top-level label that begins with a digit")
    }
  }

  private static func checkCharacters(_ name: [UInt8]) throws(NameProblem) {
    let isAllowed = { (byte: UInt8) in
      byte.isLowerCaseLetter || byte.isDigit || byte == hyphen || byte == dot
    }
    guard let byte = name.first(where: { !isAllowed($0) }) else { return }
    if name.first == UInt8(ascii: "[") { throw NameProblem("is an address literal, not a name") }
    throw .contains(Unicode.Scalar(byte), ": only letters, digits, hyphens and dots are allowed")
  }

  private static let hyphen = UInt8(ascii: "-")
  private static let dot = UInt8(ascii: ".")
}
