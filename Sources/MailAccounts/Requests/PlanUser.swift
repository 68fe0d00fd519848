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
    var warnings = email.loginProblem.map { [Warning.noLogin(email: email.text, reason: $0)] } ?? []
    let aliases = try all("SELECT dst FROM aliases WHERE src=?1", [.text(email.text)]) { $0.text(0) ?? "" }
    if aliases.isEmpty {
      // The catch-all would take the new user's mail: postfix asks for it when the address itself has no alias.
      if try exists("SELECT 1 FROM aliases WHERE src=?1", "@" + email.domain.text) {
        changes.append(.addAlias(source: email.text, destination: email.text))
      }
    } else if !aliases.contains(where: { destinations($0).contains(email.text) }) {
      warnings.append(.aliasTakesMail(of: email.text))
    }
    return Outcome(changes: changes, warnings: warnings)
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

  /// Aliases in whose destinations the text occurs as an address or the end of one.
  func naming(_ text: String) throws(AccountError) -> [AliasRecord] {
    try all("SELECT id, src, dst FROM aliases WHERE instr(dst, ?1) ORDER BY src, dst", [.text(text)]) {
      AliasRecord($0)
    }
    .filter { destinations($0.destination).contains { $0 == text || (text.hasPrefix("@") && $0.hasSuffix(text)) } }
  }
}
