import SQLite

extension AccountDatabase {
  /// Domains by name.
  public func domains(_ filter: ListFilter = ListFilter(), _ each: (DomainRecord) -> Void) throws(AccountError) {
    try explained { () throws(SQLiteFailure) in
      let statement = try connection.prepare(
        """
        SELECT id, name FROM domains WHERE (?1 IS NULL OR name=?1) AND (?2 IS NULL OR instr(lower(name), ?2)) ORDER BY name
        """)
      try statement.bind([.optional(filter.domain), .optional(filter.search?.lowercased())])
      while try statement.step() {
        each(DomainRecord(id: statement.integer(0) ?? 0, name: statement.text(1) ?? ""))
      }
    }
  }

  /// Users by address.
  public func users(_ filter: ListFilter = ListFilter(), _ each: (UserRecord) -> Void) throws(AccountError) {
    try readUsers(filter, columns: "") { statement throws(SQLiteFailure) in each(UserRecord(statement)) }
  }

  /// Users by address, with what is stored as the password.
  public func storedPasswords(
    _ filter: ListFilter = ListFilter(), _ each: (UserRecord, String) -> Void
  ) throws(AccountError) {
    try readUsers(filter, columns: ", password") { statement throws(SQLiteFailure) in
      each(UserRecord(statement), statement.text(6) ?? "")
    }
  }

  /// The user, and what is stored as its password.
  public func storedPassword(of typed: String) throws(AccountError) -> (user: UserRecord, stored: String) {
    let user = try user(typed)
    return try explained { () throws(SQLiteFailure) in
      let statement = try connection.prepare("SELECT password FROM users WHERE id=?1")
      try statement.bind([.integer(user.id)])
      return (user, try statement.step() ? statement.text(0) ?? "" : "")
    }
  }

  /// Aliases by source and destination.
  public func aliases(_ filter: ListFilter = ListFilter(), _ each: (AliasRecord) -> Void) throws(AccountError) {
    try explained { () throws(SQLiteFailure) in
      let statement = try connection.prepare(
        """
        SELECT id, src, dst FROM aliases WHERE (?1 IS NULL OR domain_id IN (SELECT id FROM domains WHERE name=?1))
        AND (?2 IS NULL OR instr(lower(src), ?2) OR instr(lower(dst), ?2)) ORDER BY src, dst
        """)
      try statement.bind([.optional(filter.domain), .optional(filter.search?.lowercased())])
      while try statement.step() { each(AliasRecord(statement)) }
    }
  }

  /// - Parameter columns: to be selected after those of `UserRecord`.
  private func readUsers(
    _ filter: ListFilter, columns: String, _ each: (borrowing SQLiteStatement) throws(SQLiteFailure) -> Void
  ) throws(AccountError) {
    try explained { () throws(SQLiteFailure) in
      let statement = try connection.prepare(
        """
        SELECT \(userColumns)\(columns) FROM users WHERE (?1 IS NULL OR domain_id IN (SELECT id FROM domains WHERE name=?1))
        AND (?2 IS NULL OR (active=1)=?2) AND (?3 IS NULL OR instr(lower(email), ?3)) ORDER BY email
        """)
      let active = filter.isActive.map { SQLiteValue.integer($0 ? 1 : 0) } ?? .null
      try statement.bind([.optional(filter.domain), active, .optional(filter.search?.lowercased())])
      while try statement.step() { try each(statement) }
    }
  }

  /// What `UserRecord` is read from, in its order. Before version 1 nobody has limits.
  var userColumns: String {
    version >= 1 ? "id, email, active, receives, sends, quota" : "id, email, active, 1, 1, NULL"
  }
}

extension UserRecord {
  init(_ row: borrowing SQLiteStatement) {
    // Postfix and dovecot ask for active=1: anything else, also NULL, is disabled.
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

extension SQLiteValue {
  static func optional(_ text: String?) -> SQLiteValue { text.map(SQLiteValue.text) ?? .null }
}
