import SQLite

/// Questions about single addresses, prepared once for whoever has thousands.
struct AccountLookup: ~Copyable {
  private let users: SQLiteStatement
  private let aliases: SQLiteStatement
  private let domains: SQLiteStatement

  init(_ database: borrowing AccountDatabase) throws(AccountError) {
    let columns = try database.userColumns()
    let (users, aliases, domains) = (
      "SELECT \(columns), password FROM users WHERE email=?1", "SELECT id, src, dst FROM aliases WHERE src=?1",
      "SELECT id, name FROM domains WHERE name=?1"
    )
    let first = try database.explained { () throws(SQLiteFailure) in try database.connection.prepare(users) }
    let second = try database.explained { () throws(SQLiteFailure) in try database.connection.prepare(aliases) }
    let third = try database.explained { () throws(SQLiteFailure) in try database.connection.prepare(domains) }
    self.users = first
    self.aliases = second
    self.domains = third
  }

  func user(_ email: String) throws(SQLiteFailure) -> (user: UserRecord, password: String)? {
    var found: (UserRecord, String)?
    try users.bind([.text(email)])
    while try users.step() { found = (UserRecord(users), users.text(6) ?? "") }
    return found
  }

  func aliases(_ source: String) throws(SQLiteFailure) -> [AliasRecord] {
    var found: [AliasRecord] = []
    try aliases.bind([.text(source)])
    while try aliases.step() { found.append(AliasRecord(aliases)) }
    return found
  }

  func domain(_ name: String) throws(SQLiteFailure) -> DomainRecord? {
    var found: DomainRecord?
    try domains.bind([.text(name)])
    while try domains.step() { found = DomainRecord(domains) }
    return found
  }

  /// The single destinations of a source.
  func destinations(of source: String) throws(SQLiteFailure) -> [String] {
    try aliases(source).flatMap { MailAccounts.destinations($0.destination) }
  }

  func isUser(_ email: String) throws(SQLiteFailure) -> Bool { try user(email) != nil }

  func nextHops(after address: String, _ system: LazyMailSystem) throws(SQLiteFailure) -> [String] {
    try MailAccounts.nextHops(after: address, system) { (source) throws(SQLiteFailure) in
      try destinations(of: source)
    } isUser: { (email) throws(SQLiteFailure) in
      try isUser(email)
    }
  }

  /// Whether nobody gets what an alias sends to an address that is no user's.
  func isDeadEnd(
    _ destination: String, from source: String, _ system: LazyMailSystem
  ) throws(SQLiteFailure) -> Bool {
    try MailAccounts.isDeadEnd(destination, from: source, system) { (name) throws(SQLiteFailure) in
      try destinations(of: name)
    } isUser: { (name) throws(SQLiteFailure) in
      try isUser(name)
    } isDomain: { (name) throws(SQLiteFailure) in
      try domain(name) != nil
    }
  }

  /// What is to be said about a destination of an alias.
  func warning(
    about destination: String, from source: String, _ system: LazyMailSystem
  ) throws(SQLiteFailure) -> Warning? {
    if let (user, _) = try user(destination) {
      if !user.isActive { return .destinationIsDisabled(destination) }
      return user.limits.receives ? nil : .destinationIsSendOnly(destination)
    }
    // A catch-all into its own domain is for `check` to say.
    if source == "@" + domainPart(destination) { return nil }
    return try isDeadEnd(destination, from: source, system)
      ? .deadEnd(source: source, destination: destination) : nil
  }
}
