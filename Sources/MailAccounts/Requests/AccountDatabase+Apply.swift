import SQLite

extension AccountDatabase {
  /// Makes the changes, inside the caller's transaction.
  func apply(_ changes: [Change]) throws(AccountError) {
    try explained { () throws(SQLiteFailure) in
      var hasLimits = version >= 1
      if !hasLimits && changes.contains(where: \.needsLimits) {
        try connection.execute(Schema.limits)
        hasLimits = true
      }
      try ChangeWriter(connection, hasLimits: hasLimits).write(changes, to: connection)
    }
  }
}

extension Change {
  /// Whether the original schema has no columns for it.
  fileprivate var needsLimits: Bool {
    switch self {
    case .addUser(_, _, _, let limits): !limits.isDefault
    case .setLimits: true
    default: false
    }
  }
}

/// Makes changes. What an import adds by the thousand is prepared once.
private struct ChangeWriter: ~Copyable {
  private let hasLimits: Bool
  private var domains: [String: Int64] = [:]
  private let addUser: SQLiteStatement
  private let addAlias: SQLiteStatement

  init(_ connection: borrowing SQLiteConnection, hasLimits: Bool) throws(SQLiteFailure) {
    let addUser = try connection.prepare(
      hasLimits
        ? "INSERT INTO users (domain_id, password, email, active, receives, sends, quota) VALUES (?1,?2,?3,?4,?5,?6,?7)"
        : "INSERT INTO users (domain_id, password, email, active) VALUES (?1,?2,?3,?4)")
    let addAlias = try connection.prepare("INSERT INTO aliases (domain_id, src, dst) VALUES (?1,?2,?3)")
    self.hasLimits = hasLimits
    self.addUser = addUser
    self.addAlias = addAlias
  }

  consuming func write(
    _ changes: [Change], to connection: borrowing SQLiteConnection
  ) throws(SQLiteFailure) {
    for change in changes { try write(change, to: connection) }
  }

  private mutating func write(_ change: Change, to connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
    func run(_ sql: String, _ values: [SQLiteValue]) throws(SQLiteFailure) {
      try connection.prepare(sql).run(values)
    }
    switch change {
    case .addDomain(let name): try run("INSERT INTO domains (name) VALUES (?1)", [.text(name)])
    case .removeDomain(let domain): try run("DELETE FROM domains WHERE id=?1", [.integer(domain.id)])
    case .addUser(let email, let hash, let isActive, let limits):
      var values: [SQLiteValue] = [
        .integer(try number(ofDomain: domainPart(email), connection)), .text(hash), .text(email),
        .integer(isActive ? 1 : 0),
      ]
      if hasLimits {
        values += [.integer(limits.receives ? 1 : 0), .integer(limits.sends ? 1 : 0), .optional(limits.quota)]
      }
      try addUser.run(values)
    case .removeUser(let user): try run("DELETE FROM users WHERE id=?1", [.integer(user.id)])
    case .setPassword(let user, let hash):
      try run("UPDATE users SET password=?1 WHERE id=?2", [.text(hash), .integer(user.id)])
    case .setActive(let user, let isActive):
      try run("UPDATE users SET active=?1 WHERE id=?2", [.integer(isActive ? 1 : 0), .integer(user.id)])
    case .setLimits(let user, let limits):
      try run(
        "UPDATE users SET receives=?1, sends=?2, quota=?3 WHERE id=?4",
        [
          .integer(limits.receives ? 1 : 0), .integer(limits.sends ? 1 : 0), .optional(limits.quota), .integer(user.id),
        ])
    case .addAlias(let source, let destination):
      try addAlias.run([
        .integer(try number(ofDomain: domainPart(source), connection)), .text(source), .text(destination),
      ])
    case .removeAlias(let alias): try run("DELETE FROM aliases WHERE id=?1", [.integer(alias.id)])
    }
  }

  private mutating func number(
    ofDomain name: String, _ connection: borrowing SQLiteConnection
  ) throws(SQLiteFailure) -> Int64 {
    if let number = domains[name] { return number }
    let statement = try connection.prepare("SELECT id FROM domains WHERE name=?1")
    try statement.bind([.text(name)])
    // 0 is nobody's: the foreign key refuses it.
    let number = try statement.step() ? statement.integer(0) ?? 0 : 0
    domains[name] = number
    return number
  }
}
