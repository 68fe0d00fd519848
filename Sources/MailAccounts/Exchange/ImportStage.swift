import SQLite

/// An import before it is made: its rows in temporary tables, which no other process sees or waits for, and which are not held in memory.
public final class ImportStage {
  private let domains: SQLiteStatement
  private let users: SQLiteStatement
  private let aliases: SQLiteStatement
  // Of the temporary tables only: a transaction takes no lock of a file that it does not read.
  private let begin: SQLiteStatement
  private let commit: SQLiteStatement
  /// How many rows the open transaction has.
  private var open = 0
  private let mailSystem: LazyMailSystem
  private let explain: (SQLiteFailure) -> AccountError
  /// The domains of its users and aliases.
  private(set) var wantedDomains: Set<String> = []
  private(set) var refused = RefusedRows()
  private(set) var userCount = 0

  /// A name of `odd` rows is not in the form that we store: it may be there as it is, or it is `normal`, or it has a `problem`.
  private static let tables = """
    CREATE TEMP TABLE import_domains (name TEXT PRIMARY KEY, normal TEXT, problem TEXT, odd INTEGER) WITHOUT ROWID;
    CREATE TEMP TABLE import_users (
      email TEXT PRIMARY KEY, normal TEXT, problem TEXT, odd INTEGER, hash TEXT, hash_problem TEXT, active INTEGER,
      receives INTEGER, sends INTEGER, has_quota INTEGER, quota INTEGER, kept INTEGER) WITHOUT ROWID;
    CREATE INDEX temp.import_odd_users ON import_users (odd) WHERE odd;
    CREATE TEMP TABLE import_aliases (src TEXT, dst TEXT, problem TEXT, odd INTEGER, kept INTEGER, PRIMARY KEY (src, dst))
      WITHOUT ROWID;
    CREATE INDEX temp.import_odd_aliases ON import_aliases (odd) WHERE odd;
    """

  init(_ database: borrowing AccountDatabase) throws(AccountError) {
    let path = database.path
    explain = { .database(DatabaseProblem($0, 0), path: path) }
    mailSystem = database.mailSystem
    // A reader's connection refuses to write; main cannot be written by it anyway. The cache may spill: only these tables are written to.
    try database.explained { () throws(SQLiteFailure) in
      try database.connection.execute(
        "PRAGMA query_only=OFF; PRAGMA cache_spill=ON; PRAGMA temp_store=FILE; PRAGMA temp.cache_size=-16384")
      try database.connection.execute(Self.tables)
    }
    let sql = (
      "INSERT OR IGNORE INTO import_domains VALUES (?,?,?,?)",
      "INSERT INTO import_users VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
      "INSERT OR IGNORE INTO import_aliases VALUES (?,?,?,?,?)"
    )
    domains = try database.explained { () throws(SQLiteFailure) in try database.connection.prepare(sql.0) }
    users = try database.explained { () throws(SQLiteFailure) in try database.connection.prepare(sql.1) }
    aliases = try database.explained { () throws(SQLiteFailure) in try database.connection.prepare(sql.2) }
    begin = try database.explained { () throws(SQLiteFailure) in try database.connection.prepare("BEGIN") }
    commit = try database.explained { () throws(SQLiteFailure) in try database.connection.prepare("COMMIT") }
  }

  public func add(_ row: ImportRow) throws(AccountError) {
    do throws(SQLiteFailure) {
      if open == 0 { try begin.run([]) }
      open += 1
      if open == 10_000 { try endTransaction() }
      switch row {
      case .domain(let name, let isKept): try addDomain(name, isKept: isKept)
      case .user(let user): try add(user)
      case .alias(let alias): try add(alias)
      }
    } catch {
      throw explain(error)
    }
  }

  private func endTransaction() throws(SQLiteFailure) {
    if open > 0 { try commit.run([]) }
    open = 0
  }

  private func addDomain(_ typed: String, isKept: Bool) throws(SQLiteFailure) {
    let form = Form(typed, isKept: isKept) { () throws(NameError) in try DomainName(typed).text }
    try domains.run([.text(form.name), .optional(form.normal), .optional(form.problem), .integer(form.isOdd ? 1 : 0)])
  }

  private func add(_ user: ImportedUser) throws(SQLiteFailure) {
    userCount += 1
    let form = Form(user.email, isKept: user.isKept) { () throws(NameError) in try EmailAddress(user.email).text }
    if !user.isKept { wantedDomains.insert(domainPart(form.normal ?? form.name)) }
    let flags = [user.isActive, user.limits.receives, user.limits.sends].map { flag in
      flag.map { SQLiteValue.integer($0 ? 1 : 0) } ?? .null
    }
    let quota: [SQLiteValue] = [
      .integer(user.limits.quota == nil ? 0 : 1), .optional(user.limits.quota ?? nil), .integer(user.isKept ? 1 : 0),
    ]
    let hashProblem = user.isKept ? nil : user.passwordHash.flatMap(problem(ofHash:))
    do throws(SQLiteFailure) {
      try users.run(
        [
          .text(form.name), .optional(form.normal), .optional(form.problem), .integer(form.isOdd ? 1 : 0),
          .optional(user.passwordHash), .optional(hashProblem),
        ] + flags + quota)
    } catch {
      guard error.isDuplicate else { throw error }
      refuse(form.name, "it is in the import twice")
    }
  }

  private func add(_ alias: ImportedAlias) throws(SQLiteFailure) {
    let parsed = Result { () throws(NameError) in
      let source = try AliasSource(alias.source)
      let destinations = try AliasDestinations(alias.destination, of: source) {
        mailSystem.value.localDomains.contains($0)
      }
      return (source: source, destinations: destinations.addresses.map(\.text))
    }
    if !alias.isKept, case .success(let parsed) = parsed { wantedDomains.insert(parsed.source.domain.text) }
    if !alias.isKept, case .success(let (source, destinations)) = parsed, source.text == alias.source,
      destinations == [alias.destination]
    {
      return try addAlias(source.text, alias.destination, problem: nil, isOdd: false, isKept: false)
    }
    var problem: String?
    if !alias.isKept, case .failure(let error) = parsed { problem = error.description }
    try addAlias(alias.source, alias.destination, problem: problem, isOdd: !alias.isKept, isKept: alias.isKept)
  }

  private func addAlias(
    _ source: String, _ destination: String, problem: String?, isOdd: Bool, isKept: Bool
  ) throws(SQLiteFailure) {
    try aliases.run([
      .text(source), .text(destination), .optional(problem), .integer(isOdd ? 1 : 0), .integer(isKept ? 1 : 0),
    ])
  }

  func refuse(_ name: String, _ reason: String) { refused.add("\(quoted(name)): \(reason)") }

  /// Decides what each odd row is: what the database has under exactly that name, or the same in the form that we store.
  func settle(_ database: borrowing AccountDatabase) throws(AccountError) {
    try database.explained { () throws(SQLiteFailure) in try endTransaction() }
    let lookup = try AccountLookup(database)
    try forOdd("name, normal, problem", "import_domains", database) { (name, normal, problem) throws(AccountError) in
      let isThere = try database.explained { () throws(SQLiteFailure) in try lookup.domain(name) != nil }
      try settle("import_domains", "name", name, normal, problem, isThere: isThere, database)
    }
    try forOdd("email, normal, problem", "import_users", database) { (email, normal, problem) throws(AccountError) in
      let isThere = try database.explained { () throws(SQLiteFailure) in try lookup.user(email) != nil }
      try settle("import_users", "email", email, normal, problem, isThere: isThere, database)
    }
    try forOdd("src, dst, problem", "import_aliases", database) { (source, destination, problem) throws(AccountError) in
      try settleAlias(source, destination ?? "", problem, lookup, database)
    }
  }

  /// - Parameter settle: makes the row an even one, or removes it.
  private func forOdd(
    _ columns: String, _ table: String, _ database: borrowing AccountDatabase,
    _ settle: (String, String?, String?) throws(AccountError) -> Void
  ) throws(AccountError) {
    while true {
      let rows = try database.all("SELECT \(columns) FROM \(table) WHERE odd LIMIT 1000") {
        ($0.text(0) ?? "", $0.text(1), $0.text(2))
      }
      if rows.isEmpty { return }
      for (name, other, problem) in rows { try settle(name, other, problem) }
    }
  }

  private func settle(
    _ table: String, _ column: String, _ name: String, _ normal: String?, _ problem: String?, isThere: Bool,
    _ database: borrowing AccountDatabase
  ) throws(AccountError) {
    do throws(SQLiteFailure) {
      if isThere {
        try database.connection.run("UPDATE \(table) SET odd=0 WHERE \(column)=?1", [.text(name)])
      } else if let normal, problem == nil {
        try database.connection.run(
          "UPDATE \(table) SET odd=0, \(column)=?2 WHERE \(column)=?1", [.text(name), .text(normal)])
      } else {
        refused.add(problem ?? "")
        try database.connection.run("DELETE FROM \(table) WHERE \(column)=?1", [.text(name)])
      }
    } catch {
      guard error.isDuplicate else { throw explain(error) }
      // A domain may be named twice.
      if table == "import_users" { refuse(name, "it is in the import twice, as \(normal ?? "")") }
      try database.explained { () throws(SQLiteFailure) in
        try database.connection.run("DELETE FROM \(table) WHERE \(column)=?1", [.text(name)])
      }
    }
  }

  private func settleAlias(
    _ source: String, _ destination: String, _ problem: String?, _ lookup: borrowing AccountLookup,
    _ database: borrowing AccountDatabase
  ) throws(AccountError) {
    let pair: [SQLiteValue] = [.text(source), .text(destination)]
    try database.explained { () throws(SQLiteFailure) in
      if try lookup.aliases(source).contains(where: { $0.destination == destination }) {
        try database.connection.run("UPDATE import_aliases SET odd=0 WHERE src=?1 AND dst=?2", pair)
        return
      }
      try database.connection.run("DELETE FROM import_aliases WHERE src=?1 AND dst=?2", pair)
      guard problem == nil, let normal = try? AliasSource(source),
        let destinations = try? AliasDestinations(destination, of: normal, isLocal: { _ in true })
      else { return refused.add(problem ?? "") }
      for address in destinations.addresses {
        try addAlias(normal.text, address.text, problem: nil, isOdd: false, isKept: false)
      }
    }
  }
}

/// A name of an import, as it is typed and as we would store it.
private struct Form {
  let name: String
  /// Nil: it is so.
  let normal: String?
  let problem: String?
  var isOdd: Bool { normal != nil || problem != nil }

  /// - Parameter isKept: it is to stay as it is.
  init(_ typed: String, isKept: Bool, _ normalised: () throws(NameError) -> String) {
    name = typed
    var found: (normal: String?, problem: String?) = (nil, nil)
    if !isKept {
      do throws(NameError) {
        let text = try normalised()
        if text != typed { found.normal = text }
      } catch {
        found.problem = error.description
      }
    }
    (normal, problem) = found
  }
}

/// Rows that cannot be taken: the first of them, and how many there are.
struct RefusedRows {
  private var rows: [String] = []
  private var count = 0

  mutating func add(_ row: String) {
    if count < 20 { rows.append(row) }
    count += 1
  }

  mutating func add(_ others: RefusedRows) {
    rows = Array((rows + others.rows).prefix(20))
    count += others.count
  }

  func orThrow() throws(AccountError) {
    if count > 0 { throw .refusedRows(rows, count: count) }
  }
}
