/// What an alias is for: one address, or all addresses of a domain that nobody else has.
public enum AliasSource: Hashable, Sendable {
  case address(EmailAddress)
  /// Written "@domain".
  case catchAll(DomainName)

  /// As in the column `src`.
  public var text: String {
    switch self {
    case .address(let address): address.text
    case .catchAll(let domain): "@\(domain.text)"
    }
  }

  public var domain: DomainName {
    switch self {
    case .address(let address): address.domain
    case .catchAll(let domain): domain
    }
  }

  /// An address, or "@" and a domain; surrounding ASCII white space is dropped.
  public init(_ input: String) throws(NameError) {
    let bytes = Array(input.utf8)[...].trimmed
    guard bytes.first == UInt8(ascii: "@") else {
      let address = try EmailAddress(input, kind: .aliasSource)
      guard address.local != "*" else {
        throw NameError(
          kind: .aliasSource, input: input,
          reason: "all addresses of a domain are written @\(address.domain.text), without the asterisk")
      }
      self = .address(address)
      return
    }
    do {
      self = .catchAll(try DomainName(bytes: bytes.dropFirst()))
    } catch {
      throw NameError(kind: .aliasSource, input: input, reason: "the domain \(error.predicate)")
    }
  }
}
