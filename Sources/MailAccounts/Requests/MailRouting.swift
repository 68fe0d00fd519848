// How postfix goes on with an address: the one place that says how users, aliases and catch-alls go together. `aliases` gives the single
// destinations of exactly one source, which may be `@domain`; `isUser` says whether there is a user of that address.

/// What postfix's configuration says about addresses, as far as it matters here.
public struct MailSystem: Sendable {
  /// What parts a name from its extension: `joe+news` is joe's. Each of these characters does.
  public var recipientDelimiter: String
  /// Hosts whose mail goes to users of the system.
  public var localDomains: Set<String>

  public init(recipientDelimiter: String = "+", localDomains: Set<String> = []) {
    self.recipientDelimiter = recipientDelimiter
    self.localDomains = localDomains
  }
}

/// The same, asked for when it is first needed.
final class LazyMailSystem {
  private let ask: () -> MailSystem
  private(set) lazy var value = ask()

  init(_ ask: @escaping () -> MailSystem) { self.ask = ask }

  /// An address without its extension; nil if it has none.
  func base(of address: String) -> String? {
    let domain = domainPart(address)
    let local = address.dropLast(domain.count + 1)
    // As good as every address has nothing that could be one.
    guard local.dropFirst().utf8.contains(where: { !$0.lowerCased.isLowerCaseLetter && !$0.isDigit && $0 != 0x2E })
    else { return nil }
    let delimiters = value.recipientDelimiter
    guard let end = local.dropFirst().firstIndex(where: { delimiters.contains($0) }) else { return nil }
    return local[..<end] + "@" + domain
  }
}

/// Where mail for an address goes on to; empty where it ends.
func nextHops<Failure: Error>(
  after address: String, _ system: LazyMailSystem, aliases: (String) throws(Failure) -> [String],
  isUser: (String) throws(Failure) -> Bool
) throws(Failure) -> [String] {
  let own = try aliases(address)
  if !own.isEmpty || address.hasPrefix("@") { return own }
  // Users get an alias to themselves beside a catch-all: it ends there.
  if try isUser(address) { return [] }
  if let base = system.base(of: address) {
    let own = try aliases(base)
    if !own.isEmpty { return own }
    if try isUser(base) { return [] }
  }
  let domain = domainPart(address)
  // A whole domain as the destination keeps the name before the @.
  return try aliases("@" + domain).map { $0.hasPrefix("@") ? address.dropLast(domain.count + 1) + $0 : $0 }
}

/// Whether nobody gets the mail that an alias of `source` sends to an address, which is no user's.
///
/// - Parameter isDomain: whether the name is one of this host's domains.
func isDeadEnd<Failure: Error>(
  _ address: String, from source: String, _ system: LazyMailSystem, aliases: (String) throws(Failure) -> [String],
  isUser: (String) throws(Failure) -> Bool, isDomain: (String) throws(Failure) -> Bool
) throws(Failure) -> Bool {
  let domain = domainPart(address)
  // Of a whole domain it depends on the name.
  guard !address.hasPrefix("@"), try isDomain(domain) else { return false }
  // An alias that leads back to where it comes from is none for this.
  if address != source {
    guard try aliases(address).isEmpty else { return false }
  }
  if let base = system.base(of: address), base != source {
    if try isUser(base) { return false }
    guard try aliases(base).isEmpty else { return false }
  }
  if source == "@" + domain { return true }
  return try aliases("@" + domain).isEmpty
}

/// Follows aliases as postfix does: from address to address, until one has no alias but itself.
///
/// - Parameters:
///   - finished: addresses from which no circle can be reached; more are added.
///   - next: where mail for an address (or `@domain`) goes on to.
/// - Returns: the addresses of a circle that can be reached from `start`, each leading to the next and the last to the first.
func aliasLoop<Failure: Error>(
  from start: String, finished: inout Set<String>, next: (String) throws(Failure) -> [String]
) throws(Failure) -> [String]? {
  var path: [(address: String, rest: [String])] = []
  var onPath: Set<String> = []
  func enter(_ address: String) throws(Failure) {
    // An alias to itself ends the way: postfix expands no address twice in a row.
    path.append((address, try next(address).filter { $0 != address }))
    onPath.insert(address)
  }
  guard !finished.contains(start) else { return nil }
  try enter(start)
  while let last = path.indices.last {
    guard let address = path[last].rest.popLast() else {
      onPath.remove(path[last].address)
      finished.insert(path[last].address)
      path.removeLast()
      continue
    }
    if onPath.contains(address) {
      let addresses = path.map(\.address)
      return Array(addresses[(addresses.firstIndex(of: address) ?? 0)...])
    }
    if !finished.contains(address) { try enter(address) }
  }
  return nil
}
