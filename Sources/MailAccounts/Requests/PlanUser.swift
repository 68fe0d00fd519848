import SQLite

extension AccountDatabase {
  func planUser(
    _ email: EmailAddress, _ password: PasswordHash, _ limits: Limits, _ isActive: Bool, _ createDomain: Bool
  ) throws(AccountError) -> Outcome {
    if try exists("SELECT 1 FROM users WHERE email=?1", email.text) {
      return Outcome(changes: [], warnings: [.userIsThere(email: email.text)])
    }
    var changes = try domainChanges(for: email.text, email.domain, create: createDomain)
    changes.append(.addUser(email: email.text, hash: password.text, isActive: isActive, limits: limits))
    let aliases = try all("SELECT dst FROM aliases WHERE src=?1", [.text(email.text)]) { $0.text(0) ?? "" }
    if aliases.isEmpty {
      // The catch-all would take the new user's mail: postfix asks for it when the address itself has no alias.
      if try exists("SELECT 1 FROM aliases WHERE src=?1", "@" + email.domain.text) {
        changes.append(.addAlias(source: email.text, destination: email.text))
      }
    } else if !aliases.contains(where: { destinations($0).contains(email.text) }) {
      return Outcome(changes: changes, warnings: [.aliasTakesMail(of: email.text)])
    }
    return Outcome(changes: changes, warnings: [])
  }

  /// The user, the alias to itself that a catch-all needed, and who still names it.
  func planRemoval(of user: UserRecord) throws(AccountError) -> Outcome {
    let own = try all("SELECT id, src, dst FROM aliases WHERE src=?1 AND dst=?1", [.text(user.email)]) {
      AliasRecord($0)
    }
    let named = try naming(user.email).filter { $0.source != user.email }
    return Outcome(
      changes: own.map(Change.removeAlias) + [.removeUser(user)],
      warnings: named.isEmpty ? [] : [.stillNamed(user.email, by: named)])
  }

  /// The domain with all that belongs to it, and aliases elsewhere that lead into it.
  func planRemoval(of domain: DomainRecord) throws(AccountError) -> Outcome {
    let columns = userColumns
    let users = try all("SELECT \(columns) FROM users WHERE domain_id=?1 ORDER BY email", [.integer(domain.id)]) {
      UserRecord($0)
    }
    let aliases = try all(
      "SELECT id, src, dst FROM aliases WHERE domain_id=?1 ORDER BY src, dst", [.integer(domain.id)]
    ) {
      AliasRecord($0)
    }
    let suffix = "@" + domain.name
    let own = Set(aliases.map(\.id))
    let named = try naming(suffix).filter { alias in
      !own.contains(alias.id) && destinations(alias.destination).contains { $0.hasSuffix(suffix) }
    }
    return Outcome(
      changes: aliases.map(Change.removeAlias) + users.map(Change.removeUser) + [.removeDomain(domain)],
      warnings: named.isEmpty ? [] : [.stillNamed(domain.name, by: named)])
  }

  /// Aliases in whose destinations the text occurs as an address or the end of one.
  private func naming(_ text: String) throws(AccountError) -> [AliasRecord] {
    try all("SELECT id, src, dst FROM aliases WHERE instr(dst, ?1) ORDER BY src, dst", [.text(text)]) {
      AliasRecord($0)
    }
    .filter { destinations($0.destination).contains { $0 == text || (text.hasPrefix("@") && $0.hasSuffix(text)) } }
  }
}
