// How postfix goes on with an address: the one place that says how users, aliases and catch-alls go together. `aliases` gives the single
// destinations of exactly one source, which may be `@domain`; `isUser` says whether there is a user of that address.

/// Where mail for an address goes on to; empty where it ends.
func nextHops<Failure: Error>(
  after address: String, aliases: (String) throws(Failure) -> [String], isUser: (String) throws(Failure) -> Bool
) throws(Failure) -> [String] {
  let own = try aliases(address)
  if !own.isEmpty || address.hasPrefix("@") { return own }
  // Users get an alias to themselves beside a catch-all: it ends there.
  return try isUser(address) ? [] : aliases("@" + domainPart(address))
}

/// Whether nobody gets the mail that an alias of `source` sends to an address, which is no user's.
///
/// - Parameter isDomain: whether the name is one of this host's domains.
func isDeadEnd<Failure: Error>(
  _ address: String, from source: String, aliases: (String) throws(Failure) -> [String],
  isDomain: (String) throws(Failure) -> Bool
) throws(Failure) -> Bool {
  let domain = domainPart(address)
  guard try isDomain(domain) else { return false }
  // An alias that leads back to where it comes from is none for this.
  if address != source {
    guard try aliases(address).isEmpty else { return false }
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
