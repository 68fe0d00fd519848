import SQLite

extension AccountDatabase {
  /// Domains by name.
  public func domains(_ filter: ListFilter = ListFilter(), _ each: (DomainRecord) -> Void) throws(AccountError) {
    var query = TurnQuery(selection: "id, name", table: "domains", key: ["name", "id"], columns: 2)
    query.conditions = filter.domain.map { [("name=?", [.text($0)])] } ?? []
    query.search(filter.search, in: ["name"])
    try readInTurns(query) { row throws(AccountError) in each(DomainRecord(row)) }
  }

  /// Users by address.
  public func users(_ filter: ListFilter = ListFilter(), _ each: (UserRecord) -> Void) throws(AccountError) {
    try readInTurns(userQuery(filter, selection: try userColumns(), 6)) { row throws(AccountError) in
      each(UserRecord(row))
    }
  }

  /// Users by address, with what is stored as the password.
  public func storedPasswords(
    _ filter: ListFilter = ListFilter(), _ each: (UserRecord, String) -> Void
  ) throws(AccountError) {
    let query = userQuery(filter, selection: try userColumns() + ", password", 7)
    try readInTurns(query) { row throws(AccountError) in each(UserRecord(row), row.text(6) ?? "") }
  }

  /// The user, and what is stored as its password.
  public func storedPassword(of typed: String) throws(AccountError) -> (user: UserRecord, stored: String) {
    let user = try user(typed)
    let stored = try first("SELECT password FROM users WHERE id=?1", [.integer(user.id)]) { $0.text(0) ?? "" }
    return (user, stored ?? "")
  }

  /// Aliases by source and destination.
  public func aliases(_ filter: ListFilter = ListFilter(), _ each: (AliasRecord) -> Void) throws(AccountError) {
    var query = TurnQuery(selection: "id, src, dst", table: "aliases", key: ["src", "dst", "id"], columns: 3)
    query.choose(domain: filter.domain, by: "src")
    query.search(filter.search, in: ["src", "dst"])
    try readInTurns(query) { row throws(AccountError) in each(AliasRecord(row)) }
  }

  private func userQuery(_ filter: ListFilter, selection: String, _ columns: Int32) -> TurnQuery {
    var query = TurnQuery(selection: selection, table: "users", key: ["email", "id"], columns: columns)
    query.choose(domain: filter.domain, by: "email")
    query.search(filter.search, in: ["email"])
    // Postfix and dovecot ask for active=1: anything else, also NULL, is disabled.
    if let isActive = filter.isActive { query.conditions.append((isActive ? "active IS 1" : "active IS NOT 1", [])) }
    return query
  }

  /// What `UserRecord` is read from, in its order.
  func userColumns() throws(AccountError) -> String {
    let limits = try explained { () throws(SQLiteFailure) in try LimitColumns(connection) }
    return "id, email, active, " + limits.selection
  }

  /// Names that begin so, in order, for somebody who is typing one: all of them, or the first and the very last, so that what they have in
  /// common is what all have.
  ///
  /// - Parameter isWanted: those that it refuses are passed over.
  public func names(
    _ kind: NameKind, startingWith prefix: String, limit: Int, isWanted: (String) -> Bool
  ) throws(AccountError) -> [String] {
    let (column, table) = kind.place
    func read(_ order: String, _ limit: Int) throws(AccountError) -> [String] {
      try explained { () throws(SQLiteFailure) in
        let statement = try connection.prepare(
          "SELECT DISTINCT \(column) FROM \(table) WHERE \(column) >= ?1 AND \(column) < ?2 ORDER BY \(column) \(order)"
        )
        // Above every text that begins with the prefix.
        try statement.bind([.text(prefix), .text(prefix + "\u{10FFFF}")])
        var names: [String] = []
        var looked = 0
        while names.count < limit, looked < limit * 10, try statement.step() {
          looked += 1
          if let name = statement.text(0), isWanted(name) { names.append(name) }
        }
        return names
      }
    }
    let names = try read("ASC", limit)
    return names.count < limit ? names : try names + read("DESC", 1).filter { $0 != names.last }
  }

  public enum NameKind: Sendable {
    case domains, users, aliasSources

    fileprivate var place: (column: String, table: String) {
      switch self {
      case .domains: ("name", "domains")
      case .users: ("email", "users")
      case .aliasSources: ("src", "aliases")
      }
    }
  }
}

extension TurnQuery {
  /// By the address: a row's number of a domain may be another's.
  mutating func choose(domain: String?, by column: String) {
    guard let domain else { return }
    conditions.append(addressCondition(of: domain, column))
  }

  fileprivate mutating func search(_ text: String?, in columns: [String]) {
    guard let text = text?.lowercased() else { return }
    let sql = columns.map { "instr(lower(\($0)), ?)" }.joined(separator: " OR ")
    conditions.append(("(\(sql))", columns.map { _ in .text(text) }))
  }
}

/// Whether the address in a column is of the domain, in any case.
func addressCondition(of domain: String, _ column: String) -> (sql: String, values: [SQLiteValue]) {
  let end = "@" + String(decoding: domain.utf8.map(\.lowerCased), as: UTF8.self)
  return ("lower(substr(\(column), -?)) = ?", [.integer(Int64(end.unicodeScalars.count)), .text(end)])
}

extension DomainRecord {
  init(_ row: borrowing SQLiteStatement) {
    self.init(id: row.integer(0) ?? 0, name: row.text(1) ?? "")
  }
}

extension UserRecord {
  init(_ row: borrowing SQLiteStatement) {
    self.init(
      id: row.integer(0) ?? 0, email: row.text(1) ?? "", isActive: row.integer(2) == 1,
      limits: Limits(receives: row.integer(3) != 0, sends: row.integer(4) != 0, quota: row.integer(5)))
  }
}

extension AliasRecord {
  init(_ row: borrowing SQLiteStatement) {
    self.init(id: row.integer(0) ?? 0, source: row.text(1) ?? "", destination: row.text(2) ?? "")
  }
}
