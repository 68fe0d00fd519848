import SQLite
import SecretMemory

/// A query whose rows are read in turns, in the order of a key that no two rows share.
struct TurnQuery {
  /// What is selected; the key's columns come last.
  var selection: String
  var table: String
  /// For each `?`, a value. They may name columns that are not selected.
  var conditions: [(sql: String, values: [SQLiteValue])] = []
  var key: [String]
  /// How many columns come before the key's.
  var columns: Int32

  fileprivate func statement(after last: [SQLiteCopy]?) -> (sql: String, values: [SQLiteValue]) {
    var sqls = conditions.map(\.sql)
    var values = conditions.flatMap(\.values)
    let keys = key.joined(separator: ", ")
    if let last {
      sqls.append("(\(keys)) > (\(last.map { _ in "?" }.joined(separator: ", ")))")
      values += last.map(SQLiteValue.copy)
    }
    let filter = sqls.isEmpty ? "" : " WHERE " + sqls.joined(separator: " AND ")
    return ("SELECT \(selection), \(keys) FROM \(table)\(filter) ORDER BY \(keys)", values)
  }
}

extension AccountDatabase {
  /// Reads all rows of a query. As soon as another process is about to change something, and from time to time anyway, the lock is let go
  /// of: a commit waits 8 ms for its readers. What is read afterwards may have been changed meanwhile; see ``whileUnchanged(_:)``.
  func readInTurns(
    _ query: TurnQuery, _ each: (borrowing SQLiteStatement) throws(AccountError) -> Void
  ) throws(AccountError) {
    var last: [SQLiteCopy]?
    repeat {
      last = try turn(query, after: last) { (row) throws(AccountError) in
        try each(row)
        return true
      }
    } while last != nil
  }

  /// One turn.
  /// - Parameter each: false ends it.
  /// - Returns: the key of the last row; nil at the end.
  func turn(
    _ query: TurnQuery, after last: [SQLiteCopy]?, _ each: (borrowing SQLiteStatement) throws(AccountError) -> Bool
  ) throws(AccountError) -> [SQLiteCopy]? {
    let (sql, values) = query.statement(after: last)
    let statement = try explained { () throws(SQLiteFailure) in
      let statement = try connection.prepare(sql)
      try statement.bind(values)
      return statement
    }
    let end = MonotonicInstant.now + .milliseconds(300)
    var nextLook = MonotonicInstant.now
    var count = 0
    while try explained({ () throws(SQLiteFailure) in try statement.step() }) {
      let goesOn = try each(statement)
      count += 1
      guard goesOn else { return query.key.indices.map { statement.copy(query.columns + Int32($0)) } }
      let now = MonotonicInstant.now
      guard count % 16 == 0, now >= nextLook, !connection.isInTransaction else { continue }
      nextLook = now + .milliseconds(1)
      guard connection.isReserved || now >= end else { continue }
      return query.key.indices.map { statement.copy(query.columns + Int32($0)) }
    }
    return nil
  }

  /// Reads something that has to be as it is at one moment, though in turns: anew when another process has changed the file meanwhile. The
  /// third time a copy is read, for which the lock is held as long as the copying takes.
  ///
  /// - Parameter read: forgets what it read before. False: it has given way to another process, and does not have all.
  func whileUnchanged(_ read: (borrowing AccountDatabase) throws(AccountError) -> Bool) throws(AccountError) {
    for _ in 0..<2 {
      let version = try dataVersion()
      let isWhole = try read(self)
      if isWhole, try dataVersion() == version { return }
    }
    _ = try read(try namelessCopy())
  }

  func dataVersion() throws(AccountError) -> Int64 {
    try explained { () throws(SQLiteFailure) in try connection.dataVersion() }
  }
}
