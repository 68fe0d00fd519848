import SQLite

extension AccountDatabase {
  func planAlias(
    _ source: AliasSource, _ destinations: AliasDestinations, _ createDomain: Bool
  ) throws(AccountError) -> Outcome {
    var outcome = Outcome(
      changes: try domainChanges(for: source.text, source.domain, create: createDomain), warnings: [])
    let there = Set(try all("SELECT dst FROM aliases WHERE src=?1", [.text(source.text)]) { $0.text(0) ?? "" })
    let new = destinations.addresses.map(\.text).filter { !there.contains($0) }
    guard !new.isEmpty else { return Outcome(changes: [], warnings: []) }
    outcome.changes += new.map { .addAlias(source: source.text, destination: $0) }
    try refuseLoop(from: source, new)
    if case .catchAll(let domain) = source {
      let kept = try usersWithoutAlias(of: domain)
      outcome.changes += kept.map { .addAlias(source: $0, destination: $0) }
      if !kept.isEmpty { outcome.warnings.append(.keptFromCatchAll(count: kept.count, domain: domain.text)) }
    } else if there.isEmpty, !new.contains(source.text),
      try exists("SELECT 1 FROM users WHERE email=?1", source.text)
    {
      outcome.warnings.append(.aliasTakesMail(of: source.text))
    }
    for destination in new where destination != source.text {
      if let warning = try warning(about: destination, from: source) { outcome.warnings.append(warning) }
    }
    return outcome
  }

  /// Users that a catch-all of their domain would rob.
  private func usersWithoutAlias(of domain: DomainName) throws(AccountError) -> [String] {
    let condition = addressCondition(of: domain.text, "email")
    return try all(
      """
      SELECT email FROM users WHERE \(condition.sql) AND NOT EXISTS (SELECT 1 FROM aliases WHERE src=email) ORDER BY email
      """, condition.values
    ) { $0.text(0) ?? "" }
  }

  /// These aliases; with the last catch-all of a domain also the aliases of users to themselves that only it needed.
  func planRemoval(of rows: [AliasRecord]) throws(AccountError) -> Outcome {
    var changes = rows.map(Change.removeAlias)
    if let source = rows.first?.source, source.hasPrefix("@") {
      let rest = try all("SELECT id FROM aliases WHERE src=?1", [.text(source)]) { $0.integer(0) ?? 0 }
      if Set(rest).isSubset(of: rows.map(\.id)) {
        let condition = addressCondition(of: String(source.dropFirst()), "src")
        changes += try all(
          """
          SELECT id, src, dst FROM aliases AS a WHERE src=dst AND \(condition.sql)
          AND EXISTS (SELECT 1 FROM users WHERE email=a.src)
          AND NOT EXISTS (SELECT 1 FROM aliases WHERE src=a.src AND dst<>a.dst) ORDER BY src
          """, condition.values
        ) { .removeAlias(AliasRecord($0)) }
      }
    }
    return Outcome(changes: changes, warnings: try warning(aboutRemovalOf: rows))
  }

  private func warning(aboutRemovalOf rows: [AliasRecord]) throws(AccountError) -> [Warning] {
    guard let source = rows.first?.source, try exists("SELECT 1 FROM users WHERE email=?1", source),
      try exists("SELECT 1 FROM aliases WHERE src=?1", "@" + domainPart(source))
    else { return [] }
    let rest = try all("SELECT id FROM aliases WHERE src=?1", [.text(source)]) { $0.integer(0) ?? 0 }
    return Set(rest).isSubset(of: rows.map(\.id)) ? [.catchAllTakesMail(of: source)] : []
  }

  private func refuseLoop(from source: AliasSource, _ new: [String]) throws(AccountError) {
    let lookup = try AccountLookup(self)
    var finished: Set<String> = []
    let loop = try explained { () throws(SQLiteFailure) in
      try aliasLoop(from: source.text, finished: &finished) { (address) throws(SQLiteFailure) in
        try nextHops(after: address, mailSystem) { (name) throws(SQLiteFailure) in
          // Were the new destinations there already.
          try lookup.destinations(of: name) + (name == source.text ? new : [])
        } isUser: { (name) throws(SQLiteFailure) in
          try lookup.isUser(name)
        }
      }
    }
    if let loop { throw .aliasLoop(loop) }
  }

  private func warning(about destination: String, from source: AliasSource) throws(AccountError) -> Warning? {
    let lookup = try AccountLookup(self)
    return try explained { () throws(SQLiteFailure) in
      try lookup.warning(about: destination, from: source.text, mailSystem)
    }
  }
}
