import CSQLite

/// What SQLite said, with its extended result code (https://www.sqlite.org/rescode.html).
struct SQLiteFailure: Error, Equatable {
  var code: Int32
  var message: String

  /// The primary result code.
  var primary: Int32 { code & 0xff }
}

/// A connection to a database file that is only read.
struct SQLiteReader: ~Copyable {
  private let handle: OpaquePointer

  /// Waits up to `busyMilliseconds` for other processes' locks.
  init(path: String, busyMilliseconds: Int32, mayWrite: Bool = false) throws(SQLiteFailure) {
    var handle: OpaquePointer?
    let access = mayWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY
    let code = sqlite3_open_v2(path, &handle, access | SQLITE_OPEN_NOMUTEX, nil)
    guard let handle, code == SQLITE_OK else {
      let failure = SQLiteFailure(code: code, message: String(cString: sqlite3_errstr(code)))
      sqlite3_close_v2(handle)
      throw failure
    }
    self.handle = handle
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, busyMilliseconds)
  }

  /// To be called first. The file may be damaged or not ours: no functions or virtual tables from its schema, no
  /// temporary files beside it.
  func distrustContents() throws(SQLiteFailure) {
    for pragma in ["trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "temp_store=MEMORY"] {
      _ = try rows("PRAGMA \(pragma)")
    }
  }

  /// Reads the schema and nothing else.
  func touch() throws(SQLiteFailure) { _ = try rows("SELECT count(*) FROM sqlite_master") }

  deinit {
    sqlite3_close_v2(handle)
  }

  /// Result rows in order, each value as text (nil for NULL).
  func rows(_ sql: String) throws(SQLiteFailure) -> [[String?]] {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else { throw failure() }
    defer { sqlite3_finalize(statement) }
    var result: [[String?]] = []
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW:
        result.append(
          (0..<sqlite3_column_count(statement)).map { column in
            sqlite3_column_text(statement, column).map { String(cString: $0) }
          })
      case SQLITE_DONE:
        return result
      default:
        throw failure()
      }
    }
  }

  /// The first column of every row, without NULLs.
  func column(_ sql: String) throws(SQLiteFailure) -> [String] {
    try rows(sql).compactMap { $0.first ?? nil }
  }

  private func failure() -> SQLiteFailure {
    SQLiteFailure(code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)))
  }
}
