/// What an import changes: reads all that is there once, then compares in memory.
struct ImportPlan {
  private var domains: [String: DomainRecord] = [:]
  private var users: [String: (user: UserRecord, hash: String)] = [:]
  /// By source, then destination.
  private var aliases: [String: [String: AliasRecord]] = [:]

  private var removed: [Change] = []
  private var added: [Change] = []
  /// As they will be.
  private var finalDomains: Set<String> = []
  private var finalUsers: Set<String> = []
  private var finalAliases: [String: Set<String>] = [:]

  private(set) var outcome = Outcome(changes: [], warnings: [])

  init(_ accounts: AccountSet, into database: borrowing AccountDatabase, prune: Bool) throws(AccountError) {
    var domains: [String: DomainRecord] = [:]
    try database.domains { domains[$0.name] = $0 }
    var users: [String: (user: UserRecord, hash: String)] = [:]
    try database.storedPasswords { users[$0.email] = ($0, $1) }
    var aliases: [String: [String: AliasRecord]] = [:]
    try database.aliases { aliases[$0.source, default: [:]][$0.destination] = $0 }
    (self.domains, self.users, self.aliases) = (domains, users, aliases)
    if !prune {
      finalDomains = Set(domains.keys)
      finalUsers = Set(users.keys)
      finalAliases = aliases.mapValues { Set($0.keys) }
    }
    try plan(accounts)
    planCatchAlls()
    if prune { planRemovals() }
    try refuseLoops()
    outcome.changes = removed + added
  }

  private mutating func plan(_ accounts: AccountSet) throws(AccountError) {
    for name in accounts.domains {
      let domain = try checked { () throws(NameError) in try DomainName(name) }
      guard finalDomains.insert(domain.text).inserted, domains[domain.text] == nil else { continue }
      added.append(.addDomain(name: domain.text))
    }
    var seen: Set<String> = []
    for user in accounts.users {
      let email = try checked { () throws(NameError) in try EmailAddress(user.email) }
      guard seen.insert(email.text).inserted else { throw .invalid("\(email.text) is in the import twice") }
      try plan(user, email)
    }
    for alias in accounts.aliases {
      let source = try checked { () throws(NameError) in try AliasSource(alias.source) }
      let destinations = try checked { () throws(NameError) in try AliasDestinations(alias.destination) }
      guard finalDomains.contains(source.domain.text) else { throw .unknownDomain(source.domain, address: source.text) }
      for destination in destinations.addresses { plan(aliasFrom: source.text, to: destination.text) }
    }
  }

  private mutating func plan(_ user: AccountSet.User, _ email: EmailAddress) throws(AccountError) {
    guard finalDomains.contains(email.domain.text) else { throw .unknownDomain(email.domain, address: email.text) }
    finalUsers.insert(email.text)
    if let hash = user.passwordHash {
      guard StoredHash(hash).strength != .unreadable else {
        throw .invalid("\(email.text) has a password that dovecot could not read")
      }
      // What crypt(3) takes for an ancient hash of 13 letters may be the password itself, in the wrong field.
      guard hash.isEmpty || "{$!*".contains(hash.first ?? "{") else {
        throw .invalid("\(email.text) has a password that is no hash: one begins with {SCHEME} or $")
      }
    }
    guard let (there, stored) = users[email.text] else {
      guard let hash = user.passwordHash else { throw .noPassword(email: email.text) }
      added.append(
        .addUser(
          email: email.text, hash: hash, isActive: user.isActive ?? true,
          limits: user.limits.applied(to: Limits())))
      return
    }
    if let hash = user.passwordHash, hash != stored { added.append(.setPassword(there, hash: hash)) }
    if let isActive = user.isActive, isActive != there.isActive { added.append(.setActive(there, isActive)) }
    let limits = user.limits.applied(to: there.limits)
    if limits != there.limits { added.append(.setLimits(there, limits)) }
  }

  private mutating func plan(aliasFrom source: String, to destination: String) {
    let isNew = finalAliases[source, default: []].insert(destination).inserted
    if isNew && aliases[source]?[destination] == nil {
      added.append(.addAlias(source: source, destination: destination))
    }
  }

  /// Each user beside a catch-all needs an alias, if only to itself.
  private mutating func planCatchAlls() {
    let caught = Set(finalAliases.keys.filter { $0.hasPrefix("@") }.map { String($0.dropFirst()) })
    guard !caught.isEmpty else { return }
    for email in finalUsers.sorted() where caught.contains(domainPart(email)) && finalAliases[email] == nil {
      plan(aliasFrom: email, to: email)
    }
  }

  private mutating func planRemovals() {
    for (source, rows) in aliases.sorted(by: { $0.key < $1.key }) {
      for (destination, row) in rows.sorted(by: { $0.key < $1.key })
      where finalAliases[source]?.contains(destination) != true {
        removed.append(.removeAlias(row))
      }
    }
    for (email, entry) in users.sorted(by: { $0.key < $1.key }) where !finalUsers.contains(email) {
      removed.append(.removeUser(entry.user))
    }
    for (name, domain) in domains.sorted(by: { $0.key < $1.key }) where !finalDomains.contains(name) {
      removed.append(.removeDomain(domain))
    }
  }

  private func refuseLoops() throws(AccountError) {
    // What circles there are already is for `check` to say; an import that adds no alias makes none.
    guard added.contains(where: { if case .addAlias = $0 { true } else { false } }) else { return }
    func next(_ address: String) -> [String] {
      nextHops(after: address) {
        finalAliases[$0, default: []].flatMap { destinations($0) }
      } isUser: {
        finalUsers.contains($0)
      }.sorted()
    }
    var finished: Set<String> = []
    for change in added {
      guard case .addAlias(let source, _) = change else { continue }
      if let loop = aliasLoop(from: source, finished: &finished, next: next) { throw .aliasLoop(loop) }
    }
  }

  private func checked<Name>(_ name: () throws(NameError) -> Name) throws(AccountError) -> Name {
    do { return try name() } catch { throw .name(error) }
  }
}
