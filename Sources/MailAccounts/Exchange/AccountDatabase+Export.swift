import SQLite

extension AccountDatabase {
  /// Everything, as it is at one moment.
  public func accounts(withPasswords: Bool) throws(AccountError) -> AccountSet {
    try explained { () throws(SQLiteFailure) in try connection.execute("BEGIN") }
    // Read only: there is nothing to lose by it.
    defer { try? connection.execute("ROLLBACK") }
    var set = AccountSet()
    try domains { set.domains.append($0.name) }
    let hasLimits = version >= 1
    func add(_ user: UserRecord, _ hash: String?) {
      let limits =
        hasLimits
        ? LimitsChange(receives: user.limits.receives, sends: user.limits.sends, quota: .some(user.limits.quota))
        : LimitsChange()
      set.users.append(.init(email: user.email, passwordHash: hash, isActive: user.isActive, limits: limits))
    }
    if withPasswords {
      try storedPasswords { add($0, $1) }
    } else {
      try users { add($0, nil) }
    }
    try aliases { set.aliases.append(.init(source: $0.source, destination: $0.destination)) }
    return set
  }
}
