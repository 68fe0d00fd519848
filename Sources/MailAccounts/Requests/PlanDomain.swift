import SQLite

extension AccountDatabase {
  /// The change that makes the domain, if it is not there; one in another case, which postfix never finds, gets this form.
  func addition(of name: DomainName) throws(AccountError) -> [Change] {
    if try exists("SELECT 1 FROM domains WHERE name=?1", name.text) { return [] }
    let other = try first("SELECT id, name FROM domains WHERE name=?1 COLLATE NOCASE", [.text(name.text)]) {
      DomainRecord($0)
    }
    if let other { return [.renameDomain(other, name: name.text)] }
    let number = try freeDomainNumber()
    return [.addDomain(name: name.text, id: number)] + (try leftBehind(by: name.text, for: number))
  }

  /// What a domain of this name that was removed has left behind belongs to the new one.
  private func leftBehind(by name: String, for number: Int64) throws(AccountError) -> [Change] {
    func read<Row>(
      _ columns: String, _ table: String, _ address: String, _ row: (borrowing SQLiteStatement) -> Row
    ) throws(AccountError) -> [Row] {
      let condition = addressCondition(of: name, address)
      return try all("SELECT \(columns) FROM \(table) WHERE \(condition.sql) ORDER BY id", condition.values, row)
    }
    let users = try read(try userColumns(), "users", "email") { Change.moveUser(UserRecord($0), toDomain: number) }
    let aliases = try read("id, src, dst", "aliases", "src") { Change.moveAlias(AliasRecord($0), toDomain: number) }
    return users + aliases
  }

  /// The next number. What a removed domain has left behind keeps its old one, and would belong to a new domain that got it.
  func freeDomainNumber() throws(AccountError) -> Int64 {
    let last = try first(
      """
      SELECT max(n) FROM (SELECT max(id) AS n FROM domains
      UNION ALL SELECT max(domain_id) FROM users UNION ALL SELECT max(domain_id) FROM aliases)
      """, []
    ) { $0.integer(0) ?? 0 }
    return max(0, last ?? 0) &+ 1
  }

  /// The changes that must come first so that the address has a domain.
  func domainChanges(for address: String, _ domain: DomainName, create: Bool) throws(AccountError) -> [Change] {
    let changes = try addition(of: domain)
    if case .addDomain? = changes.first, !create { throw .unknownDomain(domain, address: address) }
    return changes
  }

  /// The domain with all that belongs to it, and aliases elsewhere that lead into it.
  func planRemoval(of domain: DomainRecord) throws(AccountError) -> Outcome {
    var aliases: [Change] = []
    var own: Set<Int64> = []
    let aliasQuery = TurnQuery(
      selection: "id, src, dst, domain_id", table: "aliases", conditions: [Self.belonging(to: domain, "src")],
      key: ["src", "dst", "id"], columns: 4)
    try readInTurns(aliasQuery) { (row) throws(AccountError) in
      let alias = AliasRecord(row)
      if let home = try home(of: alias.source, besides: domain) {
        if row.integer(3) == domain.id { aliases.append(.moveAlias(alias, toDomain: home)) }
      } else {
        own.insert(alias.id)
        aliases.append(.removeAlias(alias))
      }
    }
    var users: [Change] = []
    let userQuery = TurnQuery(
      selection: try userColumns() + ", domain_id", table: "users",
      conditions: [Self.belonging(to: domain, "email")], key: ["email", "id"], columns: 7)
    try readInTurns(userQuery) { (row) throws(AccountError) in
      let user = UserRecord(row)
      if let home = try home(of: user.email, besides: domain) {
        if row.integer(6) == domain.id { users.append(.moveUser(user, toDomain: home)) }
      } else {
        users.append(.removeUser(user))
      }
    }
    let suffix = "@" + domain.name
    let named = try naming(suffix).filter { alias in
      !own.contains(alias.id) && destinations(alias.destination).contains { $0.hasSuffix(suffix) }
    }
    return Outcome(
      changes: aliases + users + [.removeDomain(domain)],
      warnings: named.isEmpty ? [] : [.stillNamed(domain.name, by: named)])
  }

  /// Rows of the domain, by number or by address: either may be wrong.
  private static func belonging(to domain: DomainRecord, _ column: String) -> (sql: String, values: [SQLiteValue]) {
    let address = addressCondition(of: domain.name, column)
    return ("(domain_id=? OR \(address.sql))", [.integer(domain.id)] + address.values)
  }

  /// The number of another domain that an address is really of.
  private func home(of address: String, besides domain: DomainRecord) throws(AccountError) -> Int64? {
    let name = domainPart(address)
    if name == domain.name { return nil }
    return try first("SELECT id FROM domains WHERE name=?1 AND id<>?2", [.text(name), .integer(domain.id)]) {
      $0.integer(0) ?? 0
    }
  }
}
