/// Where an alias leads.
public enum AliasDestination: Hashable, Sendable {
  case address(EmailAddress)
  /// The same name in another domain, for all of a domain: written "@domain".
  case domain(DomainName)
  /// A user of the system, on a host that need not have a dot: `root@localhost`.
  case local(String)

  /// As in the column `dst`.
  public var text: String {
    switch self {
    case .address(let address): address.text
    case .domain(let domain): "@\(domain.text)"
    case .local(let text): text
    }
  }
}

/// Where an alias leads: one address, or several separated by commas.
public struct AliasDestinations: Sendable {
  /// In the order given, each once; never empty.
  public let addresses: [AliasDestination]

  /// White space around each address is dropped.
  ///
  /// - Parameters:
  ///   - source: only all of a domain can lead to all of another.
  ///   - isLocal: whether the host is this one, for postfix. Asked about what would be no domain otherwise.
  /// - Throws: with the one address that is none as `input`, or with all of them when one is empty.
  public init(
    _ input: String, of source: AliasSource? = nil, isLocal: (String) -> Bool = { _ in false }
  ) throws(NameError) {
    var addresses: [AliasDestination] = []
    var seen: Set<AliasDestination> = []
    for member in input.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      guard member.contains(where: { !$0.isSpace }) else {
        throw NameError(
          kind: .aliasDestination, input: input,
          reason: input.utf8.contains(UInt8(ascii: ",")) ? "there is nothing beside a comma" : "it is empty")
      }
      let destination = try Self.destination(String(Substring(member)), source, isLocal)
      if seen.insert(destination).inserted { addresses.append(destination) }
    }
    self.addresses = addresses
  }

  private static func destination(
    _ input: String, _ source: AliasSource?, _ isLocal: (String) -> Bool
  ) throws(NameError) -> AliasDestination {
    let bytes = Array(input.utf8)[...].trimmed
    if bytes.first == UInt8(ascii: "@"), case .catchAll? = source {
      do {
        return .domain(try DomainName(bytes: bytes.dropFirst()))
      } catch {
        throw NameError(kind: .aliasDestination, input: input, reason: "the domain \(error.predicate)")
      }
    }
    do {
      let address = try EmailAddress(input, kind: .aliasDestination)
      guard address.local == "*" else { return .address(address) }
    } catch {
      if let at = bytes.firstIndex(of: UInt8(ascii: "@")), let local = try? localPart(bytes[..<at]) {
        let host = String(decoding: bytes[(at + 1)...].map(\.lowerCased), as: UTF8.self)
        if !host.isEmpty, isLocal(host) { return .local("\(local)@\(host)") }
      }
      throw error
    }
    throw NameError(
      kind: .aliasDestination, input: input,
      reason: "the same name in another domain is written @DOMAIN, and is for an alias of a whole @DOMAIN only")
  }
}
