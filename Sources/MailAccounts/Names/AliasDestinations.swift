/// Where an alias leads: one address, or several separated by commas.
public struct AliasDestinations: Sendable {
  /// In the order given, each once; never empty.
  public let addresses: [EmailAddress]

  /// White space around each address is dropped.
  ///
  /// - Throws: with the one address that is none as `input`, or with all of them when one is empty.
  public init(_ input: String) throws(NameError) {
    var addresses: [EmailAddress] = []
    var seen: Set<EmailAddress> = []
    for member in input.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      guard member.contains(where: { !$0.isSpace }) else {
        throw NameError(
          kind: .aliasDestination, input: input,
          reason: input.utf8.contains(UInt8(ascii: ",")) ? "there is nothing beside a comma" : "it is empty")
      }
      let address = try EmailAddress(String(Substring(member)), kind: .aliasDestination)
      if seen.insert(address).inserted { addresses.append(address) }
    }
    self.addresses = addresses
  }
}
