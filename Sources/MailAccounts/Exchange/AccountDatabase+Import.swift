import SQLite

/// How an import is made.
public struct ImportOptions: Sendable {
  /// Also removes what the import does not have.
  public var prunes = false
  /// Also if no domain, or no user, is left then.
  public var mayPruneAll = false
  /// Adds the domains that its users and aliases need.
  public var makesDomains = false

  public init(prunes: Bool = false, mayPruneAll: Bool = false, makesDomains: Bool = false) {
    self.prunes = prunes
    self.mayPruneAll = mayPruneAll
    self.makesDomains = makesDomains
  }
}

/// What an import changes.
public struct ImportSummary: Sendable {
  public var added = 0
  public var changed = 0
  public var removed = 0
  public var removedDomains = 0
  public var removedUsers = 0
  public var removedAliases = 0
  /// The first of what is removed.
  public var firstRemovals: [Change] = []
  public var newDomains: [String] = []
  public var warnings: [Warning] = []
  /// Of all that is removed, in order.
  private var digest: UInt64 = 0xcbf2_9ce4_8422_2325

  public var isEmpty: Bool { added + changed + removed == 0 }

  fileprivate mutating func count(_ change: Change) {
    switch change.effect {
    case .addition: added += 1
    case .change: changed += 1
    case .removal: countRemoval(change)
    }
    if case .addDomain(let name, _) = change { newDomains.append(name) }
  }

  private mutating func countRemoval(_ change: Change) {
    removed += 1
    switch change {
    case .removeDomain: removedDomains += 1
    case .removeUser: removedUsers += 1
    default: removedAliases += 1
    }
    if firstRemovals.count < 20 { firstRemovals.append(change) }
    // FNV-1a.
    for byte in change.line.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  fileprivate func removesTheSame(as other: ImportSummary) -> Bool {
    removed == other.removed && digest == other.digest
  }
}

extension AccountDatabase {
  /// Begins an import: rows are added to it, then it is made.
  public func newImport() throws(AccountError) -> ImportStage { try ImportStage(self) }

  /// Makes an import, as ``perform(_:dryRun:agree:)`` does other requests: either all rows can be taken, or nothing is changed.
  ///
  /// - Parameters:
  ///   - agree: asked about what would be removed, and again when that has become something else. False: nothing is changed.
  ///   - planned: told of every change before that.
  /// - Returns: nil when it was not agreed to.
  public func make(
    _ stage: ImportStage, _ options: ImportOptions, dryRun: Bool = false,
    agree: (ImportSummary) -> Bool = { _ in true },
    planned: (Change) -> Void = { _ in }
  ) throws(AccountError) -> ImportSummary? {
    try stage.settle(self)
    var patience = Patience(seconds: busySeconds)
    var agreed: ImportSummary?
    var made = ImportSummary()
    var rounds = 0
    while true {
      let version = try dataVersion()
      let (view, plan) = try plan(stage, options, rounds == 0 ? planned : { _ in })
      rounds += 1
      if dryRun { return plan }
      if plan.isEmpty {
        made.warnings += made.isEmpty ? [] : durability
        return made
      }
      guard agreed.map({ $0.removesTheSame(as: plan) }) ?? false || agree(plan) else { return nil }
      agreed = plan
      if made.warnings.isEmpty { made.warnings = plan.warnings }
      // What only adds and changes needs no quiet: each row is looked at when it is written. What another process has changed meanwhile is
      // then looked through once more.
      let isMade = try write(view, options, planned: version, &made)
      let isQuiet = try dataVersion() == version
      if isMade, isQuiet || rounds > 2 {
        made.warnings += durability
        return made
      }
      if patience.isOver { throw .database(.busy(seconds: busySeconds), path: path) }
    }
  }

  /// Goes through all of it, and refuses it if a single row cannot be taken.
  private func plan(
    _ stage: ImportStage, _ options: ImportOptions, _ each: (Change) -> Void
  ) throws(AccountError) -> (ImportView, ImportSummary) {
    let view = try ImportView(stage, self, prunes: options.prunes, makesDomains: options.makesDomains)
    let pass = ImportPass(view, prunes: options.prunes, freeNumber: try freeNumber(for: view))
    if options.prunes && !options.mayPruneAll { try refuseToPruneAll(stage, view) }
    var summary = ImportSummary()
    while true {
      let changes = try pass.next(1000, self)
      if changes.isEmpty { break }
      for change in changes {
        summary.count(change)
        each(change)
      }
    }
    var refused = stage.refused
    refused.add(pass.refused)
    try refused.orThrow()
    summary.warnings = pass.warnings.all
    return (view, summary)
  }

  /// - Returns: false when another process changed something meanwhile; what is made stays so.
  private func write(
    _ view: ImportView, _ options: ImportOptions, planned version: Int64, _ made: inout ImportSummary
  ) throws(AccountError) -> Bool {
    let pass = ImportPass(view, prunes: options.prunes, freeNumber: try freeNumber(for: view))
    // From here on only our own tables are written to.
    try explained { () throws(SQLiteFailure) in try connection.execute("PRAGMA cache_spill=OFF") }
    defer { try? connection.execute("PRAGMA cache_spill=ON") }
    var turns = WriteTurns()
    while true {
      let changes = try pass.next(Self.part, self)
      if changes.isEmpty { return true }
      turns.next()
      let needsLimits = changes.contains(where: \.needsLimits)
      let isMade = try write(planned: version, isStrict: options.prunes) { (connection) throws(SQLiteFailure) in
        var writer = try ChangeWriter(connection, needsLimits: needsLimits)
        for change in changes { try writer.write(change, to: connection) }
      }
      guard isMade else { return false }
      for change in changes { made.count(change) }
    }
  }

  /// Looking for it reads every row, and is done only where a domain is to be added.
  private func freeNumber(for view: ImportView) throws(AccountError) -> Int64 {
    let sql = "SELECT 1 FROM import_domains WHERE name NOT IN (SELECT name FROM main.domains) LIMIT 1"
    let isNeeded = try first(sql, []) { _ in true } ?? false
    return isNeeded || !view.made.isEmpty ? try freeDomainNumber() : 0
  }

  private func refuseToPruneAll(_ stage: ImportStage, _ view: ImportView) throws(AccountError) {
    func isThere(_ table: String) throws(AccountError) -> Bool {
      try first("SELECT 1 FROM main.\(table) LIMIT 1", []) { _ in true } ?? false
    }
    if view.domains.isEmpty, try isThere("domains") { throw .prunesAll("domains") }
    if stage.userCount == 0, try isThere("users") { throw .prunesAll("users") }
  }
}
