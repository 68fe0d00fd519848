import SQLite

/// Goes through an import once, and finds out what it changes, some changes at a time. What has been made meanwhile is no change any more.
final class ImportPass {
  private enum Step: Int, CaseIterable {
    case removedAliases, removedUsers, removedDomains, domains, movedUsers, movedAliases, users, aliases, ownAliases,
      ownAliasesOfOthers, catchAlls
  }

  private let view: ImportView
  private let prunes: Bool
  private var step = Step.removedAliases
  private var last: [SQLiteCopy]?
  private var isAtEnd = false
  /// Made domains are counted from here.
  private var freeNumber: Int64
  private(set) var refused = RefusedRows()
  private(set) var warnings = ImportWarnings()

  init(_ view: ImportView, prunes: Bool, freeNumber: Int64) {
    self.view = view
    self.prunes = prunes
    self.freeNumber = freeNumber
  }

  /// The next changes, about as many; none at the end.
  func next(_ limit: Int, _ database: borrowing AccountDatabase) throws(AccountError) -> [Change] {
    var changes: [Change] = []
    while changes.count < limit, !isAtEnd { try advance(&changes, limit, database) }
    return changes
  }

  /// One turn of one step.
  private func advance(
    _ changes: inout [Change], _ limit: Int, _ database: borrowing AccountDatabase
  ) throws(AccountError) {
    if let query = try query(database) {
      last = try database.turn(query, after: last) { (row) throws(AccountError) in
        try database.explained { () throws(SQLiteFailure) in try look(row, &changes) }
        if let loop { throw .aliasLoop(loop) }
        return changes.count < limit
      }
      if last != nil { return }
    }
    guard let next = Step(rawValue: step.rawValue + 1) else {
      isAtEnd = true
      return
    }
    step = next
    if step == .domains {
      for name in view.made.sorted() {
        try database.explained { () throws(SQLiteFailure) in try addDomain(name, &changes) }
      }
    }
  }

  /// Nil: there is nothing to do in this step.
  private func query(_ database: borrowing AccountDatabase) throws(AccountError) -> TurnQuery? {
    switch step {
    case .removedAliases, .removedUsers, .removedDomains, .movedUsers, .movedAliases:
      return try prunes ? removalQuery(database) : nil
    case .domains:
      return TurnQuery(
        selection: "i.name", table: "import_domains AS i", key: ["i.name"], columns: 1)
    case .users:
      let columns = try database.userColumns().split(separator: ", ").map { $0 == "1" || $0 == "NULL" ? $0 : "u." + $0 }
      return TurnQuery(
        selection: columns.joined(separator: ", ")
          + ", u.password, i.hash, i.hash_problem, i.active, i.receives, i.sends, i.has_quota, i.quota, i.kept",
        table: "import_users AS i LEFT JOIN main.users AS u ON u.email = i.email", key: ["i.email"], columns: 15)
    case .aliases, .catchAlls:
      return TurnQuery(
        selection: "i.src, i.dst, i.kept", table: "import_aliases AS i",
        conditions: [(step == .aliases ? "substr(i.src, 1, 1) <> '@'" : "substr(i.src, 1, 1) = '@'", [])],
        key: ["i.src", "i.dst"], columns: 3)
    case .ownAliases:
      if view.caught.isEmpty { return nil }
      return TurnQuery(selection: "i.email", table: "import_users AS i", key: ["i.email"], columns: 1)
    case .ownAliasesOfOthers:
      if prunes || view.newlyCaught.isEmpty { return nil }
      let domains = view.newlyCaught.map { addressCondition(of: $0, "u.email") }
      return TurnQuery(
        selection: "u.email", table: "main.users AS u",
        conditions: [
          ("(" + domains.map(\.sql).joined(separator: " OR ") + ")", domains.flatMap(\.values))
        ], key: ["u.email", "u.id"], columns: 1)
    }
  }

  private func removalQuery(_ database: borrowing AccountDatabase) throws(AccountError) -> TurnQuery {
    switch step {
    case .removedAliases:
      TurnQuery(
        selection: "a.id, a.src, a.dst", table: "main.aliases AS a",
        conditions: [("NOT EXISTS (SELECT 1 FROM import_aliases AS i WHERE i.src = a.src AND i.dst = a.dst)", [])],
        key: ["a.src", "a.dst", "a.id"], columns: 3)
    case .removedUsers:
      TurnQuery(
        selection: try database.userColumns(), table: "main.users",
        conditions: [("NOT EXISTS (SELECT 1 FROM import_users AS i WHERE i.email = users.email)", [])],
        key: ["email", "id"], columns: 6)
    case .movedUsers:
      TurnQuery(
        selection: try database.userColumns() + ", domain_id", table: "main.users",
        conditions: [
          (Self.homeless, []), ("EXISTS (SELECT 1 FROM import_users AS i WHERE i.email = users.email)", []),
        ], key: ["email", "id"], columns: 7)
    case .movedAliases:
      TurnQuery(
        selection: "id, src, dst, domain_id", table: "main.aliases",
        conditions: [
          (Self.homeless, []), ("EXISTS (SELECT 1 FROM import_aliases AS i WHERE i.src = aliases.src)", []),
        ], key: ["src", "dst", "id"], columns: 4)
    default:
      TurnQuery(
        selection: "id, name", table: "main.domains",
        conditions: [("NOT EXISTS (SELECT 1 FROM import_domains AS i WHERE i.name = domains.name)", [])],
        key: ["name", "id"], columns: 2)
    }
  }

  /// The number is that of a domain that goes, whatever the address says.
  private static let homeless =
    "domain_id NOT IN (SELECT id FROM main.domains WHERE name IN (SELECT name FROM import_domains))"

  private var loop: [String]?

  private func look(_ row: borrowing SQLiteStatement, _ changes: inout [Change]) throws(SQLiteFailure) {
    switch step {
    case .removedAliases:
      let alias = AliasRecord(row)
      if try !isKept(alias) { changes.append(.removeAlias(alias)) }
    case .removedUsers: changes.append(.removeUser(UserRecord(row)))
    case .removedDomains:
      let domain = DomainRecord(row)
      if view.made.contains(domain.name) { return }
      if try !isRenamed(domain) { changes.append(.removeDomain(domain)) }
    case .domains: try addDomain(row.text(0) ?? "", &changes)
    case .movedUsers:
      let user = UserRecord(row)
      let home = try view.stored.domain(domainPart(user.email))
      if let home, home.id != row.integer(6) { changes.append(.moveUser(user, toDomain: home.id)) }
    case .movedAliases:
      let alias = AliasRecord(row)
      let home = try view.stored.domain(domainPart(alias.source))
      if let home, home.id != row.integer(3) { changes.append(.moveAlias(alias, toDomain: home.id)) }
    case .users: try lookAtUser(row, &changes)
    case .aliases, .catchAlls:
      try lookAtAlias(row.text(0) ?? "", row.text(1) ?? "", isKept: row.integer(2) == 1, &changes)
    case .ownAliases, .ownAliasesOfOthers: try lookForOwnAlias(row.text(0) ?? "", &changes)
    }
  }

  private func addDomain(_ name: String, _ changes: inout [Change]) throws(SQLiteFailure) {
    if try view.stored.domain(name) != nil { return }
    if let other = view.otherwiseStored[name] { return changes.append(.renameDomain(other, name: name)) }
    changes.append(.addDomain(name: name, id: freeNumber))
    freeNumber += 1
  }

  private func isRenamed(_ domain: DomainRecord) throws(SQLiteFailure) -> Bool {
    guard let name = view.otherwiseStored.first(where: { $0.value == domain })?.key, view.domains.contains(name) else {
      return false
    }
    return try view.stored.domain(name) == nil
  }

  /// A list of several in one row, or the own alias that a catch-all needs.
  private func isKept(_ alias: AliasRecord) throws(SQLiteFailure) -> Bool {
    let staged = try view.destinations(of: alias.source)
    if alias.source == alias.destination, staged.isEmpty, view.caught.contains(domainPart(alias.source)) {
      return try view.user(alias.source) != nil
    }
    return destinations(alias.destination).allSatisfy { staged.contains($0) }
  }

  private func lookAtUser(_ row: borrowing SQLiteStatement, _ changes: inout [Change]) throws(SQLiteFailure) {
    let email = row.text(15) ?? ""
    let hash = row.text(7)
    let limits = LimitsChange(
      receives: row.integer(10).map { $0 != 0 }, sends: row.integer(11).map { $0 != 0 },
      quota: row.integer(12) == 1 ? .some(row.integer(13)) : nil)
    let isActive = row.integer(9).map { $0 != 0 }
    guard row.integer(0) != nil else {
      guard view.domains.contains(domainPart(email)) else {
        if row.integer(14) == 1 { return warnings.add(.leftOut(email)) }
        return refuse(email, "its domain is none of this host's")
      }
      guard let hash else { return refuse(email, "it is new and has no password") }
      if let problem = row.text(8) { return refuse(email, problem) }
      if row.integer(14) == 1 {
        warnings.keptCount += 1
      } else if let problem = (try? EmailAddress(email))?.loginProblem {
        warnings.add(.noLogin(email: email, reason: problem))
      }
      return changes.append(
        .addUser(email: email, hash: hash, isActive: isActive ?? true, limits: limits.applied(to: Limits())))
    }
    let user = UserRecord(row)
    if try losesItsDomain(email) { return }
    if let hash, hash != row.text(6) {
      if let problem = row.text(8) { return refuse(email, problem) }
      changes.append(.setPassword(user, hash: hash))
    }
    if let isActive, isActive != user.isActive { changes.append(.setActive(user, isActive)) }
    let wanted = limits.applied(to: user.limits)
    if wanted != user.limits { changes.append(.setLimits(user, wanted)) }
  }

  private func lookAtAlias(
    _ source: String, _ destination: String, isKept: Bool, _ changes: inout [Change]
  ) throws(SQLiteFailure) {
    let there = try view.stored.aliases(source)
    let singles = destinations(destination)
    // As a row, or in rows that say the same.
    let known = Set(there.flatMap { destinations($0.destination) })
    if there.contains(where: { $0.destination == destination }) || singles.allSatisfy({ known.contains($0) }) {
      _ = try losesItsDomain(source)
      return
    }
    guard view.domains.contains(domainPart(source)) else {
      if isKept { return warnings.add(.leftOut(source)) }
      return refuse(source, "its domain is none of this host's")
    }
    changes.append(.addAlias(source: source, destination: destination))
    if isKept { warnings.keptCount += 1 }
    if loop == nil { loop = try view.loop(from: source) }
    for single in singles {
      if let warning = try view.warning(about: single, from: source) { warnings.add(warning) }
    }
  }

  /// Refuses a row that stays while its domain goes.
  private func losesItsDomain(_ address: String) throws(SQLiteFailure) -> Bool {
    let name = domainPart(address)
    guard prunes, !view.domains.contains(name), try view.stored.domain(name) != nil else { return false }
    refuse(address, "its domain is not in the import")
    return true
  }

  /// Each user beside a catch-all needs an alias, if only to itself.
  private func lookForOwnAlias(_ email: String, _ changes: inout [Change]) throws(SQLiteFailure) {
    guard view.caught.contains(domainPart(email)), try view.destinations(of: email).isEmpty else { return }
    let there = try view.stored.aliases(email)
    if there.contains(where: { $0.destination == email }) { return }
    changes.append(.addAlias(source: email, destination: email))
  }

  private func refuse(_ name: String, _ reason: String) { refused.add("\(quoted(name)): \(reason)") }
}

/// Warnings of an import: the first of them, and how many there are.
struct ImportWarnings {
  private var first: [Warning] = []
  private var count = 0
  var keptCount = 0

  mutating func add(_ warning: Warning) {
    if first.count < 20 { first.append(warning) }
    count += 1
  }

  var all: [Warning] {
    first + (count > first.count ? [.more(count - first.count)] : [])
      + (keptCount > 0 ? [.keptAsStored(count: keptCount)] : [])
  }
}
