import Glibc
import Linux
import SQLite
import SecretMemory

extension AccountDatabase {
  /// How many changes are made in one transaction. An import of more is made in parts, so that nobody waits for all of it.
  static let part = 10_000

  /// Does what is asked; with a dry run only finds out what would be done.
  ///
  /// What is to be changed is found out by reading, and holds nobody up. It is then made in one transaction, or several of
  /// ``part`` changes; if another process has changed something meanwhile, it is found out anew.
  ///
  /// - Parameter agree: asked about what would be done, and again when that has become something else. False: nothing is done.
  /// - Returns: nil when it was not agreed to.
  public func perform(
    _ request: Request, dryRun: Bool = false, agree: (Outcome) -> Bool = { _ in true }
  ) throws(AccountError) -> Outcome? {
    var patience = Patience(seconds: busySeconds)
    var agreed: [Change]?
    var made: [Change] = []
    while true {
      let version = try dataVersion()
      var outcome = try plan(request)
      if dryRun {
        if try dataVersion() == version || patience.isOver { return outcome }
        continue
      }
      if !outcome.changes.isEmpty {
        guard agreed == outcome.changes || agree(outcome) else { return nil }
        let count = try make(outcome.changes, planned: version)
        made += outcome.changes[..<count]
        guard count == outcome.changes.count else {
          agreed = Array(outcome.changes[count...])
          if patience.isOver { throw .database(.busy(seconds: busySeconds), path: path) }
          continue
        }
      }
      outcome.changes = made
      if !made.isEmpty { outcome.warnings += durability }
      return outcome
    }
  }

  /// In the mode that this host's postfix and dovecot need, a commit is the end of its journal's name; SQLite does not wait until the disk
  /// has that, too. Done here it holds nobody up.
  var durability: [Warning] {
    holdingSignals { held in
      defer { held.forget() }
      do throws(SystemError) {
        try syncDirectory(of: path)
        return []
      } catch {
        return [.notDurable(error.text)]
      }
    }
  }

  /// - Parameter version: of the data that the changes were found out from.
  /// - Returns: how many were made before another process changed something.
  private func make(_ changes: [Change], planned version: Int64) throws(AccountError) -> Int {
    let needsLimits = changes.contains(where: \.needsLimits)
    var made = 0
    var turns = WriteTurns()
    while made < changes.count {
      turns.next()
      let part = changes[made..<min(made + Self.part, changes.count)]
      let isMade = try write(planned: version) { (connection) throws(SQLiteFailure) in
        var writer = try ChangeWriter(connection, needsLimits: needsLimits)
        for change in part { try writer.write(change, to: connection) }
      }
      guard isMade else { break }
      made += part.count
    }
    return made
  }

  /// Makes one transaction of what `body` writes, unless what it was found out from has changed; waits for others meanwhile.
  ///
  /// - Parameters:
  ///   - version: of the data that it was found out from.
  ///   - isStrict: whether it has to be still the same; else only the rows have to.
  /// - Returns: whether it was made.
  func write(
    planned version: Int64, isStrict: Bool = true, _ body: (borrowing SQLiteConnection) throws(SQLiteFailure) -> Void
  ) throws(AccountError) -> Bool {
    let end = MonotonicInstant.now + .seconds(busySeconds)
    defer { connection.wait(busyMilliseconds: Int32(busySeconds * 1000)) }
    while true {
      let left = MonotonicInstant.now.duration(to: end) / .milliseconds(1)
      connection.wait(busyMilliseconds: Int32(max(0, left)))
      do throws(AccountError) {
        return try attempt(version, isStrict, body)
      } catch {
        // A reader that reads for long. Each attempt keeps new readers out for some milliseconds: so there are few.
        guard case .database(.busy, _) = error, MonotonicInstant.now + .milliseconds(250) < end else { throw error }
        usleep(250_000)
      }
    }
  }

  private func attempt(
    _ version: Int64, _ isStrict: Bool, _ body: (borrowing SQLiteConnection) throws(SQLiteFailure) -> Void
  ) throws(AccountError) -> Bool {
    try explained { () throws(SQLiteFailure) in try connection.execute("BEGIN IMMEDIATE") }
    return try holdingSignals { (held) throws(AccountError) in
      do throws(AccountError) {
        let isAsPlanned = try dataVersion() == version
        guard isAsPlanned || !isStrict, try isWritten(body, isAsPlanned) else {
          rollBack()
          return false
        }
        if held.isEnding { throw .interrupted }
        try explained { () throws(SQLiteFailure) in try connection.execute("COMMIT") }
        held.forget()
        return true
      } catch {
        rollBack()
        throw error
      }
    }
  }

  /// - Parameter isAsPlanned: nobody else has changed anything, so a row that is there is no news.
  private func isWritten(
    _ body: (borrowing SQLiteConnection) throws(SQLiteFailure) -> Void, _ isAsPlanned: Bool
  ) throws(AccountError) -> Bool {
    do throws(SQLiteFailure) {
      try body(connection)
      return true
    } catch {
      if error.isStale && !isAsPlanned { return false }
      throw explanation(of: error)
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
    }
  }
}

/// Lets others write between the parts of a large change.
struct WriteTurns {
  private var last = MonotonicInstant.now

  /// Before each part. Of those that wait for a lock SQLite looks at it every 100 ms at least.
  mutating func next() {
    guard last.duration(to: .now) > .milliseconds(400) else { return }
    usleep(110_000)
    last = .now
  }
}

/// How often something is tried anew that others keep changing.
struct Patience {
  private let end: MonotonicInstant
  private var tries = 0

  init(seconds: Int) { end = .now + .seconds(seconds) }

  /// After some tries, and some time.
  var isOver: Bool {
    mutating get {
      tries += 1
      return tries > 10 && MonotonicInstant.now >= end
    }
  }
}
