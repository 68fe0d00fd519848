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
