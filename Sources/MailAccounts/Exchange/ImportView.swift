import SQLite

/// The accounts as they will be after an import.
final class ImportView {
  let stored: AccountLookup
  private let users: SQLiteStatement
  private let aliases: SQLiteStatement
  private let system: LazyMailSystem
  private let prunes: Bool
  /// All of them.
  let domains: Set<String>
  /// Those that rows of the import need, and that are to be made.
  let made: Set<String>
  /// Domains with a catch-all, and those where it is a new one.
  let caught: Set<String>
  let newlyCaught: Set<String>
  /// Domains that postfix never finds as they are stored, by the form that it looks for.
  let otherwiseStored: [String: DomainRecord]
  private var finished: Set<String> = []

  init(
    _ stage: ImportStage, _ database: borrowing AccountDatabase, prunes: Bool, makesDomains: Bool
  ) throws(AccountError) {
    self.prunes = prunes
    system = database.mailSystem
    stored = try AccountLookup(database)
    users = try database.explained { () throws(SQLiteFailure) in
      try database.connection.prepare("SELECT active, receives FROM import_users WHERE email=?1")
    }
    aliases = try database.explained { () throws(SQLiteFailure) in
      try database.connection.prepare("SELECT dst FROM import_aliases WHERE src=?1")
    }
    var domains = Set(try database.all("SELECT name FROM import_domains") { $0.text(0) ?? "" })
    let there = try database.all("SELECT id, name FROM main.domains") { DomainRecord($0) }
    if !prunes { domains.formUnion(there.map(\.name)) }
    otherwiseStored = Dictionary(
      there.compactMap { domain in
        (try? DomainName(domain.name)).flatMap {
          $0.text.lowercased() == domain.name.lowercased() && $0.text != domain.name ? ($0.text, domain) : nil
        }
      }, uniquingKeysWith: { first, _ in first })
    made =
      makesDomains
      ? stage.wantedDomains.filter { !domains.contains($0) && (try? DomainName($0))?.text == $0 } : []
    self.domains = domains.union(made)
    func catchAlls(_ table: String) throws(AccountError) -> Set<String> {
      Set(
        try database.all("SELECT DISTINCT src FROM \(table) WHERE src >= '@' AND src < 'A'") { $0.text(0) ?? "" }
          .map { String($0.dropFirst()) })
    }
    let staged = try catchAlls("import_aliases")
    let old = try catchAlls("main.aliases")
    caught = prunes ? staged : staged.union(old)
    newlyCaught = staged.subtracting(old)
  }

  /// The single destinations of a source.
  func destinations(of source: String) throws(SQLiteFailure) -> [String] {
    var found = prunes ? [] : try stored.destinations(of: source)
    try aliases.bind([.text(source)])
    while try aliases.step() {
      found += MailAccounts.destinations(aliases.text(0) ?? "").filter { !found.contains($0) }
    }
    return found
  }

  /// Whether it is active and receives; nil: there is no such user.
  func user(_ email: String) throws(SQLiteFailure) -> (isActive: Bool, receives: Bool)? {
    let there = try stored.user(email)?.user
    var found = prunes ? nil : there.map { (isActive: $0.isActive, receives: $0.limits.receives) }
    try users.bind([.text(email)])
    while try users.step() {
      found = (
        users.integer(0).map { $0 != 0 } ?? there?.isActive ?? true,
        users.integer(1).map { $0 != 0 } ?? there?.limits.receives ?? true
      )
    }
    return found
  }

  /// The circle that mail for a source goes round in.
  func loop(from source: String) throws(SQLiteFailure) -> [String]? {
    if finished.count > 200_000 { finished.removeAll() }
    return try aliasLoop(from: source, finished: &finished) { (address) throws(SQLiteFailure) in
      try nextHops(after: address, system) { (name) throws(SQLiteFailure) in
        try destinations(of: name).sorted()
      } isUser: { (name) throws(SQLiteFailure) in
        try user(name) != nil
      }
    }
  }

  /// What is to be said about a destination of an alias.
  func warning(about destination: String, from source: String) throws(SQLiteFailure) -> Warning? {
    if let (isActive, receives) = try user(destination) {
      if destination == source { return nil }
      return !isActive ? .destinationIsDisabled(destination) : receives ? nil : .destinationIsSendOnly(destination)
    }
    if source == "@" + domainPart(destination) { return nil }
    let isDead = try isDeadEnd(destination, from: source, system) { (name) throws(SQLiteFailure) in
      try destinations(of: name)
    } isUser: { (name) throws(SQLiteFailure) in
      try user(name) != nil
    } isDomain: { (name) throws(SQLiteFailure) in
      domains.contains(name)
    }
    return isDead ? .deadEnd(source: source, destination: destination) : nil
  }
}
