import SQLite

// Names are looked up as typed, then normalised, then with the domain in its own script, then in any case: an older program may have
// stored them otherwise than we would.
extension AccountDatabase {
  /// The domain that was typed.
  public func domain(_ typed: String) throws(AccountError) -> DomainRecord {
    let normal = Result { () throws(NameError) in try DomainName(typed).text }
    let found = try find(typed, normal) { (name, anyCase) throws(AccountError) in
      try first("SELECT id, name FROM domains WHERE name=?1" + anyCase, [.text(name)]) {
        DomainRecord($0)
      }
    }
    guard let found else { throw try notFound(normal) { .noDomain($0) } }
    return found
  }

  /// The user that was typed.
  public func user(_ typed: String) throws(AccountError) -> UserRecord {
    let normal = Result { () throws(NameError) in try EmailAddress(typed).text }
    let columns = try userColumns()
    let found = try find(typed, normal) { (name, anyCase) throws(AccountError) in
      try first("SELECT \(columns) FROM users WHERE email=?1" + anyCase, [.text(name)]) { UserRecord($0) }
    }
    guard let found else { throw try notFound(normal) { .noUser($0) } }
    return found
  }

  /// Every row of the source that was typed.
  public func aliasRows(_ typed: String) throws(AccountError) -> [AliasRecord] {
    let normal = Result { () throws(NameError) in try AliasSource(typed).text }
    let found = try find(typed, normal) { (name, anyCase) throws(AccountError) -> [AliasRecord]? in
      let rows = try all("SELECT id, src, dst FROM aliases WHERE src=?1" + anyCase + " ORDER BY dst", [.text(name)]) {
        AliasRecord($0)
      }
      return rows.isEmpty ? nil : rows
    }
    guard let found else { throw try notFound(normal) { .noAlias($0) } }
    return found
  }

  private func find<Row>(
    _ typed: String, _ normal: Result<String, NameError>,
    _ look: (_ name: String, _ anyCase: String) throws(AccountError) -> Row?
  ) throws(AccountError) -> Row? {
    if let row = try look(typed, "") { return row }
    let trimmed = trimmedSpaces(typed)
    if trimmed != typed, let row = try look(trimmed, "") { return row }
    guard case .success(let normal) = normal else { return nil }
    if normal != trimmed, let row = try look(normal, "") { return row }
    if let other = inOwnScript(normal), other != trimmed, let row = try look(other, "") { return row }
    return try look(normal, " COLLATE NOCASE")
  }

  /// What is no name at all is said to be that.
  private func notFound(
    _ normal: Result<String, NameError>, _ error: (String) -> AccountError
  ) throws(AccountError) -> AccountError {
    switch normal {
    case .success(let name): return error(name)
    case .failure(let problem): throw .name(problem)
    }
  }

  /// The first row of a query, if there is one.
  func first<Row>(
    _ sql: String, _ values: [SQLiteValue], _ read: (borrowing SQLiteStatement) -> Row
  ) throws(AccountError) -> Row? {
    try explained { () throws(SQLiteFailure) in
      let statement = try connection.prepare(sql)
      try statement.bind(values)
      return try statement.step() ? read(statement) : nil
    }
  }

  /// All rows of a query.
  func all<Row>(
    _ sql: String, _ values: [SQLiteValue] = [], _ read: (borrowing SQLiteStatement) -> Row
  ) throws(AccountError) -> [Row] {
    try explained { () throws(SQLiteFailure) in
      let statement = try connection.prepare(sql)
      try statement.bind(values)
      var rows: [Row] = []
      while try statement.step() { rows.append(read(statement)) }
      return rows
    }
  }

  func exists(_ sql: String, _ value: String) throws(AccountError) -> Bool {
    try first(sql, [.text(value)]) { _ in true } ?? false
  }
}

/// Without ASCII white space at both ends.
private func trimmedSpaces(_ text: String) -> String { String(decoding: Array(text.utf8)[...].trimmed, as: UTF8.self) }

/// The domain's part of an address as it is stored; empty if there is no `@`.
public func domainPart(_ address: String) -> String {
  address.utf8.lastIndex(of: UInt8(ascii: "@")).map { String(address[address.utf8.index(after: $0)...]) } ?? ""
}

/// The addresses of a destination column: one, or a comma list as older programs wrote it.
func destinations(_ column: String) -> [String] {
  guard column.utf8.contains(UInt8(ascii: ",")) else { return [trimmedSpaces(column)] }
  return column.utf8.split(separator: UInt8(ascii: ",")).map { trimmedSpaces(String($0) ?? "") }.filter { !$0.isEmpty }
}
