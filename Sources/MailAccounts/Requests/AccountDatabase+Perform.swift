import Glibc
import SQLite
import SecretMemory

extension AccountDatabase {
  /// Does what is asked, in one transaction; with a dry run only finds out what would be done.
  ///
  /// Everything that takes time, such as hashing, has happened before: other writers wait for this transaction, and readers for
  /// its commit.
  public func perform(_ request: Request, dryRun: Bool = false) throws(AccountError) -> Outcome {
    let end = MonotonicInstant.now + .seconds(busySeconds)
    while true {
      do throws(AccountError) {
        return try attempt(request, dryRun: dryRun)
      } catch {
        // A reader that reads for long. Each attempt keeps new readers out for some milliseconds: so there are few.
        guard case .database(.busy, _) = error, MonotonicInstant.now < end else { throw error }
        usleep(500_000)
      }
    }
  }

  private func attempt(_ request: Request, dryRun: Bool) throws(AccountError) -> Outcome {
    try explained { () throws(SQLiteFailure) in try connection.execute(dryRun ? "BEGIN" : "BEGIN IMMEDIATE") }
    do throws(AccountError) {
      let outcome = try plan(request)
      if dryRun || outcome.changes.isEmpty {
        rollBack()
      } else {
        try apply(outcome.changes)
        try explained { () throws(SQLiteFailure) in try connection.execute("COMMIT") }
      }
      return outcome
    } catch {
      rollBack()
      throw error
    }
  }

  /// Nothing to say when it fails: SQLite has then ended the transaction itself, and closing the connection would.
  private func rollBack() { try? connection.execute("ROLLBACK") }

  /// What has to be changed, as far as can be known by reading.
  private func plan(_ request: Request) throws(AccountError) -> Outcome {
    switch request {
    case .addDomain(let name): return Outcome(changes: try addition(of: name), warnings: [])
    case .removeDomain(let typed): return try planRemoval(of: domain(typed))
    case .addUser(let email, let password, let limits, let isActive, let createDomain):
      return try planUser(email, password, limits, isActive, createDomain)
    case .removeUser(let typed): return try planRemoval(of: user(typed))
    case .setPassword(let typed, let password):
      return Outcome(changes: [.setPassword(try user(typed), hash: password.text)], warnings: [])
    case .setActive(let typed, let isActive):
      let user = try user(typed)
      return Outcome(changes: user.isActive == isActive ? [] : [.setActive(user, isActive)], warnings: [])
    case .setLimits(let typed, let change):
      let user = try user(typed)
      let limits = change.applied(to: user.limits)
      return Outcome(changes: limits == user.limits ? [] : [.setLimits(user, limits)], warnings: [])
    case .addAlias(let source, let destinations, let createDomain):
      return try planAlias(source, destinations, createDomain)
    case .removeAlias(let typed): return try planRemoval(of: aliasRows(typed))
    case .removeAliasNumber(let number):
      let row = try first("SELECT id, src, dst FROM aliases WHERE id=?1", [.integer(number)]) { AliasRecord($0) }
      guard let row else { throw .noAliasNumber(number) }
      return try planRemoval(of: [row])
    case .import(let accounts, let prune):
      return try ImportPlan(accounts, into: self, prune: prune).outcome
    }
  }

  /// The change that makes the domain, if it is not there.
  func addition(of name: DomainName) throws(AccountError) -> [Change] {
    try exists("SELECT 1 FROM domains WHERE name=?1", name.text) ? [] : [.addDomain(name: name.text)]
  }

  /// The changes that must come first so that the address has a domain.
  func domainChanges(for address: String, _ domain: DomainName, create: Bool) throws(AccountError) -> [Change] {
    let changes = try addition(of: domain)
    guard changes.isEmpty || create else { throw .unknownDomain(domain, address: address) }
    return changes
  }
}
