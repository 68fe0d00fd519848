/// An address in the one form the database has: lower case, an ASCII dot-atom (RFC 5321, 4.1.2) before the @, a `DomainName` after it.
public struct EmailAddress: Hashable, Sendable {
  /// ASCII, 1 to 64 octets.
  public let local: String
  public let domain: DomainName

  /// At most 254 octets (RFC 5321, 4.5.3.1.3, without the angle brackets).
  public var text: String { "\(local)@\(domain.text)" }

  /// Surrounding ASCII white space is dropped.
  public init(_ input: String) throws(NameError) {
    try self.init(input, kind: .address)
  }

  init(_ input: String, kind: NameError.Kind) throws(NameError) {
    do {
      self = try EmailAddress(bytes: Array(input.utf8)[...].trimmed)
    } catch {
      throw NameError(kind: kind, input: input, reason: error.predicate)
    }
  }

  /// The problem's text is a whole clause here.
  private init(bytes: ArraySlice<UInt8>) throws(NameProblem) {
    guard !bytes.isEmpty else { throw NameProblem("it is empty") }
    guard let at = bytes.firstIndex(of: UInt8(ascii: "@")) else { throw NameProblem("it has no @") }
    guard bytes.lastIndex(of: UInt8(ascii: "@")) == at else { throw NameProblem("it has more than one @") }
    do {
      local = try localPart(bytes[..<at])
    } catch {
      throw NameProblem("the part before the @ \(error.predicate)")
    }
    do {
      domain = try DomainName(bytes: bytes[(at + 1)...])
    } catch {
      throw NameProblem("the domain \(error.predicate)")
    }
    let length = local.utf8.count + 1 + domain.text.utf8.count
    guard length <= 254 else { throw NameProblem("it is longer than 254 octets") }
  }

  /// Why dovecot would not let anyone log in with this address as long as its `auth_username_chars` is the default (letters,
  /// digits and `.-_@`); nil when it would. Of no concern to aliases.
  public var loginProblem: String? {
    let byte = local.utf8.first { !($0.isLowerCaseLetter || $0.isDigit || ".-_".utf8.contains($0)) }
    return byte.map { "dovecot allows no \(Unicode.Scalar($0).named) in user names unless auth_username_chars does" }
  }
}
