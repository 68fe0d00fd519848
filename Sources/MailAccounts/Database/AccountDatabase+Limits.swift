import SQLite

extension AccountDatabase {
  /// Adds the columns for limits where they are missing: a mail system that asks for them is being set up.
  /// - Returns: whether any was missing.
  public func ensureLimits() throws(AccountError) -> Bool {
    try explained { () throws(SQLiteFailure) in
      if try LimitColumns(connection).areAll { return false }
      try connection.execute("BEGIN IMMEDIATE")
      return try holdingSignals { _ throws(SQLiteFailure) in
        do throws(SQLiteFailure) {
          try Schema.addLimits(to: connection)
          try connection.execute("COMMIT")
          return true
        } catch {
          try? connection.execute("ROLLBACK")
          throw error
        }
      }
    }
  }

  /// Whether the columns for limits are there.
  public func hasLimits() throws(AccountError) -> Bool {
    try explained { () throws(SQLiteFailure) in try LimitColumns(connection).areAll }
  }
}
