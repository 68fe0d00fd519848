import CSQLite
import Glibc

/// A connection to one database file, owned by one value and used by one thread.
public struct SQLiteConnection: ~Copyable {
  let handle: OpaquePointer
  /// When what is read has to be read, in milliseconds of the clock that never jumps; 0: any time.
  let end: UInt

  public enum Access: Sendable {
    case readOnly
    /// The file must be there.
    case readWrite
    /// The same, for whoever reads with no busy timeout: a commit keeps readers out only while it writes its pages, not while its journal
    /// is synced. It is undone, and fails with `busy`, rather than wait for one that reads for long.
    case readWriteShortly
  }

  /// - Parameters:
  ///   - path: must be no symbolic link, nor lie below one, with `followLinks` false.
  ///   - busyMilliseconds: how long to wait for other processes' locks.
  ///   - seconds: how long all statements may take together; nil: as long as they do.
  public init(
    path: String, access: Access, busyMilliseconds: Int32, followLinks: Bool = true, seconds: Int? = nil
  ) throws(SQLiteFailure) {
    var handle: OpaquePointer?
    var flags = access == .readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
    flags |= SQLITE_OPEN_NOMUTEX
    if !followLinks { flags |= SQLITE_OPEN_NOFOLLOW }
    let isShort = access == .readWriteShortly && ShortLockVFS.isRegistered
    let code = sqlite3_open_v2(path, &handle, flags, isShort ? ShortLockVFS.name : nil)
    guard let handle, code == SQLITE_OK else {
      let failure = SQLiteFailure(
        code: handle.map { sqlite3_extended_errcode($0) } ?? code, message: String(cString: sqlite3_errstr(code)))
      sqlite3_close_v2(handle)
      throw failure
    }
    self.handle = handle
    end = seconds.map { Self.milliseconds() + UInt($0 * 1000) } ?? 0
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, busyMilliseconds)
    if end != 0 {
      // Some 10 ms apart.
      sqlite3_progress_handler(
        handle, 100_000, { SQLiteConnection.milliseconds() > UInt(bitPattern: $0) ? 1 : 0 },
        UnsafeMutableRawPointer(bitPattern: end))
    }
  }

  deinit {
    sqlite3_close_v2(handle)
  }

  /// Runs statements that return nothing of interest.
  public func execute(_ sql: String) throws(SQLiteFailure) {
    guard lookingTwice({ sqlite3_exec(handle, sql, nil, nil, nil) }) == SQLITE_OK else { throw failure() }
  }

  /// To be called first. The file may be damaged or not ours: no functions or virtual tables from its schema, no
  /// temporary files beside it.
  public func distrustContents() throws(SQLiteFailure) {
    for pragma in ["trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "temp_store=MEMORY"] {
      _ = try rows("PRAGMA \(pragma)")
    }
  }

  /// Reads the schema and nothing else.
  public func touch() throws(SQLiteFailure) { _ = try rows("SELECT count(*) FROM sqlite_master") }

  /// A statement to be run again and again. It must not outlive the connection.
  public func prepare(_ sql: String) throws(SQLiteFailure) -> SQLiteStatement {
    var statement: OpaquePointer?
    guard lookingTwice({ sqlite3_prepare_v2(handle, sql, -1, &statement, nil) }) == SQLITE_OK, let statement else {
      throw failure()
    }
    return SQLiteStatement(handle: statement, connection: handle)
  }

  /// Runs one statement to its end.
  public func run(_ sql: String, _ values: [SQLiteValue]) throws(SQLiteFailure) { try prepare(sql).run(values) }

  /// Result rows in order, each value as text (nil for NULL).
  public func rows(_ sql: String) throws(SQLiteFailure) -> [[String?]] {
    let statement = try prepare(sql)
    var result: [[String?]] = []
    while try statement.step() {
      result.append((0..<statement.columnCount).map { statement.text($0) })
    }
    return result
  }

  /// The first column of every row, without NULLs.
  public func column(_ sql: String) throws(SQLiteFailure) -> [String] {
    try rows(sql).compactMap { $0.first ?? nil }
  }

  /// From now on: how long to wait for other processes' locks.
  public func wait(busyMilliseconds: Int32) { sqlite3_busy_timeout(handle, busyMilliseconds) }

  /// How many rows the last statement that changes any has changed.
  public var changedRows: Int32 { sqlite3_changes(handle) }

  /// Whether a `BEGIN` has not been ended yet.
  public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// Whether statements end by themselves after a time.
  public var isLimited: Bool { end != 0 }

  private static func milliseconds() -> UInt {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt(time.tv_sec) * 1000 + UInt(time.tv_nsec / 1_000_000)
  }

  func failure() -> SQLiteFailure {
    SQLiteFailure(code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)))
  }
}
