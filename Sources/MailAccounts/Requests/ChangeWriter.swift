import SQLite

extension Change {
  /// Whether the original schema has no columns for it.
  var needsLimits: Bool {
    switch self {
    case .addUser(_, _, _, let limits): !limits.isDefault
    case .setLimits: true
    default: false
    }
  }
}

/// Makes changes, inside the caller's transaction. Each is made to the row that it was found out for, or fails: see ``SQLiteFailure/isStale``.
struct ChangeWriter: ~Copyable {
  private let hasLimits: Bool
  private var domains: [String: Int64] = [:]
  // What comes by the thousand is prepared once.
  private let addUser: SQLiteStatement
  private let removeUser: SQLiteStatement
  private let addAlias: SQLiteStatement
  private let removeAlias: SQLiteStatement

  /// - Parameter needsLimits: whether a change is to come that does. The columns are looked for only now: another mailcfg may have made
  ///   them since this one began.
  init(_ connection: borrowing SQLiteConnection, needsLimits: Bool) throws(SQLiteFailure) {
    if needsLimits, try !LimitColumns(connection).areAll { try Schema.addLimits(to: connection) }
    let addUser = try connection.prepare(
      needsLimits
        ? "INSERT INTO users (domain_id, password, email, active, receives, sends, quota) VALUES (?1,?2,?3,?4,?5,?6,?7)"
        : "INSERT INTO users (domain_id, password, email, active) VALUES (?1,?2,?3,?4)")
    let removeUser = try connection.prepare("DELETE FROM users WHERE id=?1 AND email=?2")
    let addAlias = try connection.prepare("INSERT INTO aliases (domain_id, src, dst) VALUES (?1,?2,?3)")
    let removeAlias = try connection.prepare("DELETE FROM aliases WHERE id=?1 AND src=?2")
    hasLimits = needsLimits
    self.addUser = addUser
    self.removeUser = removeUser
    self.addAlias = addAlias
    self.removeAlias = removeAlias
  }

  mutating func write(_ change: Change, to connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
    func set(_ assignment: String, _ user: UserRecord, _ values: [SQLiteValue]) throws(SQLiteFailure) {
      try connection.run(
        "UPDATE users SET \(assignment) WHERE id=? AND email=?", values + [.integer(user.id), .text(user.email)])
    }
    switch change {
    case .addDomain(let name, let id):
      try connection.run("INSERT INTO domains (id, name) VALUES (?1,?2)", [.integer(id), .text(name)])
    case .renameDomain(let domain, let name):
      try connection.run(
        "UPDATE domains SET name=?1 WHERE id=?2 AND name=?3", [.text(name), .integer(domain.id), .text(domain.name)])
    case .removeDomain(let domain):
      try connection.run("DELETE FROM domains WHERE id=?1 AND name=?2", [.integer(domain.id), .text(domain.name)])
    case .addUser(let email, let hash, let isActive, let limits):
      var values: [SQLiteValue] = [
        .integer(try number(ofDomain: domainPart(email), connection)), .text(hash), .text(email), Self.flag(isActive),
      ]
      if hasLimits { values += Self.values(limits) }
      try addUser.run(values)
    case .removeUser(let user): try removeUser.run([.integer(user.id), .text(user.email)])
    case .setPassword(let user, let hash): try set("password=?", user, [.text(hash)])
    case .setActive(let user, let isActive): try set("active=?", user, [Self.flag(isActive)])
    case .setLimits(let user, let limits): try set("receives=?, sends=?, quota=?", user, Self.values(limits))
    case .moveUser(let user, let domain): try set("domain_id=?", user, [.integer(domain)])
    case .addAlias(let source, let destination):
      try addAlias.run([
        .integer(try number(ofDomain: domainPart(source), connection)), .text(source), .text(destination),
      ])
    case .removeAlias(let alias): try removeAlias.run([.integer(alias.id), .text(alias.source)])
    case .moveAlias(let alias, let domain):
      try connection.run(
        "UPDATE aliases SET domain_id=?1 WHERE id=?2 AND src=?3",
        [.integer(domain), .integer(alias.id), .text(alias.source)])
    }
    guard connection.changedRows == 1 else { throw .stale }
  }

  private static func flag(_ flag: Bool) -> SQLiteValue { .integer(flag ? 1 : 0) }

  private static func values(_ limits: Limits) -> [SQLiteValue] {
    [flag(limits.receives), flag(limits.sends), .optional(limits.quota)]
  }

  private mutating func number(
    ofDomain name: String, _ connection: borrowing SQLiteConnection
  ) throws(SQLiteFailure) -> Int64 {
    if let number = domains[name] { return number }
    let statement = try connection.prepare("SELECT id FROM domains WHERE name=?1")
    try statement.bind([.text(name)])
    guard try statement.step(), let number = statement.integer(0) else {
      throw .stale
    }
    domains[name] = number
    return number
  }
}

extension SQLiteFailure {
  /// The row that a change was found out for is another one by now.
  fileprivate static let stale = SQLiteFailure(code: -2, message: "another process has changed what is to be changed")

  /// What is to be changed has to be found out anew: the row is another one, or what is to be added is there.
  var isStale: Bool { self == .stale || isDuplicate }
}
