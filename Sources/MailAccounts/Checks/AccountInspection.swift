import SQLite

/// Looks through all rows, and remembers none of them but the domains.
final class AccountInspection {
  private(set) var findings: FindingList
  private let path: String
  private let system: LazyMailSystem
  private let lookup: AccountLookup
  /// Names by number.
  private var domains: [Int64: String] = [:]
  private var names: Set<String> = []
  private var finished: Set<String> = []
  private var reported: Set<String> = []

  /// - Parameter findings: what was found before.
  init(_ database: borrowing AccountDatabase, _ findings: FindingList) throws(AccountError) {
    self.findings = findings
    path = database.path
    system = database.mailSystem
    lookup = try AccountLookup(database)
  }

  func inspect(_ database: borrowing AccountDatabase) throws(AccountError) {
    try database.domains { domains[$0.id] = $0.name }
    names = Set(domains.values)
    for name in names.sorted() {
      look(name, "domain") { normal in
        if let normal { return "\(call: "adddom", normal)" }
        return "\(call: "rmdom", name)"
      } as: { () throws(NameError) in
        try DomainName(name).text
      }
      try database.explained { () throws(SQLiteFailure) in try lookForRoles(name) }
    }
    let users = TurnQuery(
      selection: try database.userColumns() + ", password, domain_id", table: "users", key: ["email", "id"], columns: 8)
    let caught = try catchAlls(database)
    try database.readInTurns(users) { (row) throws(AccountError) in
      let user = UserRecord(row)
      look(at: user, StoredHash(row.text(6) ?? ""), domain: row.integer(7) ?? 0)
      if caught.contains(domainPart(user.email)) {
        try database.explained { () throws(SQLiteFailure) in try lookForCatchAll(user.email) }
      }
    }
    let aliases = TurnQuery(
      selection: "id, src, dst, domain_id", table: "aliases", key: ["src", "dst", "id"], columns: 4)
    var last: String?
    try database.readInTurns(aliases) { (row) throws(AccountError) in
      let alias = AliasRecord(row)
      look(at: alias, domain: row.integer(3) ?? 0)
      try database.explained { () throws(SQLiteFailure) in
        if alias.source != last { try lookForLoop(alias.source) }
        try lookForDeadEnds(alias)
      }
      last = alias.source
    }
  }

  private func catchAlls(_ database: borrowing AccountDatabase) throws(AccountError) -> Set<String> {
    Set(
      try database.all("SELECT DISTINCT src FROM aliases WHERE src >= '@' AND src < 'A'") { $0.text(0) ?? "" }
        .map { String($0.dropFirst()) })
  }

  /// A name that is not as postfix looks it up: it asks in lower case.
  private func look(
    _ stored: String, _ kind: String, mend: (_ normal: String?) -> Advice, as normal: () throws(NameError) -> String
  ) {
    do throws(NameError) {
      let normal = try normal()
      // In its own script it is what postfix looks for when the client speaks SMTPUTF8.
      if normal == stored || inOwnScript(normal) == stored { return }
      found(.error, "name", stored, "\(kind): postfix looks for \(normal) and never finds this", mend(normal))
    } catch {
      found(.error, "name", stored, "\(kind): \(error.reason)", mend(nil))
    }
  }

  private func look(at user: UserRecord, _ password: StoredHash, domain: Int64) {
    let email = user.email
    if let address = try? EmailAddress(email), address.text == email {
      if user.isActive, let problem = address.loginProblem { found(.warning, "login", email, problem, nil) }
    } else {
      look(email, "user") { _ in
        "\(call: "rmuser", email), and add it anew"
      } as: { () throws(NameError) in
        try EmailAddress(email).text
      }
    }
    lookForDomain(of: email, "user", domain) { id in
      "\(command: "sqlite3", path, "UPDATE users SET domain_id=\(id) WHERE id=\(user.id)")"
    } orphan: {
      "\(call: "rmuser", email) removes it, \(call: "adddom", domainPart(email)) gives it its domain back"
    }
    let renew: Advice = "\(call: "passwd", email)"
    switch password.strength {
    case .strong: break
    case .old:
      found(
        .warning, "password", email, "its password is stored as \(password.scheme ?? "?"), which is weak today", renew)
    case .disabled:
      if user.isActive { found(.warning, "password", email, "no password can be right for it", renew) }
    case .unreadable: found(.error, "password", email, "dovecot cannot read its stored password", renew)
    }
  }

  private func look(at alias: AliasRecord, domain: Int64) {
    let number = String(alias.id)
    let mend: Advice = "\(call: "rmalias", options: ["-id", number]), and add it anew"
    look(alias.source, "alias") { _ in
      mend
    } as: { () throws(NameError) in
      try AliasSource(alias.source).text
    }
    let source = try? AliasSource(alias.source)
    for address in destinations(alias.destination) {
      look(address, "destination of \(alias.source)") { _ in
        mend
      } as: { () throws(NameError) in
        try AliasDestinations(address, of: source) { system.value.localDomains.contains($0) }.addresses[0].text
      }
    }
    lookForDomain(of: alias.source, "alias", domain) { id in
      "\(command: "sqlite3", path, "UPDATE aliases SET domain_id=\(id) WHERE id=\(number)")"
    } orphan: {
      "\(call: "rmalias", options: ["-id", number]) removes it, \(call: "adddom", domainPart(alias.source)) gives it its domain back"
    }
  }

  /// A row belongs to a domain twice, by number and by address. Removing a domain goes by the one, postfix by the other.
  private func lookForDomain(
    of address: String, _ kind: String, _ number: Int64, move: (Int64) -> Advice, orphan: () -> Advice
  ) {
    let name = domainPart(address)
    let stored = domains[number]
    if let stored, stored == name || isSame(stored, name) { return }
    let home = domains.first { $0.value == name }?.key
    guard let stored else {
      // Old programs did not switch foreign keys on.
      let more = kind == "user" ? ", but the user can still log in" : ""
      let hint = home.map(move) ?? orphan()
      return found(.error, "orphan", address, "the domain of this \(kind) was removed\(more)", hint)
    }
    if let home {
      found(.error, "domain", address, "its row is one of \(stored), and its address one of \(name)", move(home))
    } else if !names.isEmpty {
      found(.error, "name", address, "its address is in no domain of this host", "\(call: "adddom", name)")
    }
  }

  /// Postfix ignores case; a name in another case is another finding.
  private func isSame(_ one: String, _ other: String) -> Bool {
    one.utf8.count == other.utf8.count && zip(one.utf8, other.utf8).allSatisfy { $0.lowerCased == $1.lowerCased }
  }

  /// RFC 2142 wants both in every domain that takes mail; RFC 5321 insists on postmaster.
  private func lookForRoles(_ domain: String) throws(SQLiteFailure) {
    if try !lookup.aliases("@\(domain)").isEmpty { return }
    for role in ["postmaster", "abuse"] {
      let address = "\(role)@\(domain)"
      if try lookup.user(address)?.user.isActive == true { continue }
      if try !lookup.aliases(address).isEmpty { continue }
      found(
        .warning, "role", address, "nobody gets mail for it, but every domain that takes mail must have it",
        "\(call: "addalias", address, "YOU@\(domain)")")
    }
  }

  private func lookForCatchAll(_ email: String) throws(SQLiteFailure) {
    guard try lookup.aliases(email).isEmpty else { return }
    found(
      .error, "catch-all", email, "the catch-all of its domain takes all its mail", "\(call: "addalias", email, email)")
  }

  private func lookForLoop(_ source: String) throws(SQLiteFailure) {
    // What is known to end is worth remembering, but not at any price.
    if finished.count > 200_000 { finished.removeAll() }
    let loop = try aliasLoop(from: source, finished: &finished) { (address) throws(SQLiteFailure) in
      try lookup.nextHops(after: address, system)
    }
    guard let loop, reported.isDisjoint(with: loop) else { return }
    reported.formUnion(loop)
    found(
      .error, "loop", loop[0], "mail goes round in circles: " + (loop + [loop[0]]).joined(separator: " -> "),
      "\(call: "lsalias"), then \(call: "rmalias", options: ["-id", "N"])")
  }

  /// Destinations on this host that nobody reads.
  private func lookForDeadEnds(_ alias: AliasRecord) throws(SQLiteFailure) {
    let number = String(alias.id)
    for address in destinations(alias.destination) {
      let drop: Advice = "\(call: "rmalias", options: ["-id", number])"
      guard let (user, _) = try lookup.user(address) else {
        if try lookup.isDeadEnd(address, from: alias.source, system) {
          found(.error, "dead-end", alias.source, "\(address) is neither a user nor an alias here", drop)
        }
        continue
      }
      if address == alias.source { continue }
      if !user.isActive {
        found(
          .warning, "dead-end", alias.source, "\(address) is disabled: mail to it is refused",
          "\(call: "enable", address), or \(call: "rmalias", options: ["-id", number])")
      } else if !user.limits.receives {
        found(.warning, "dead-end", alias.source, "\(address) is send-only: mail to it is refused", drop)
      }
    }
  }

  private func found(
    _ severity: AccountFinding.Severity, _ kind: String, _ subject: String, _ message: String, _ hint: Advice?
  ) {
    findings.add(AccountFinding(severity, kind, subject, message, hint: hint))
  }
}
