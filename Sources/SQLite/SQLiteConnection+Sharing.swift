import CSQLite
import Glibc

// Reading for long without being in the way: who reads holds up every commit.
extension SQLiteConnection {
  /// Whether another process is about to change the file.
  public var isReserved: Bool {
    var file: UnsafeMutablePointer<sqlite3_file>?
    guard sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK else { return false }
    return Self.isReserved(file)
  }

  private static func isReserved(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Bool {
    // A database in memory has no locks.
    guard let file, let methods = file.pointee.pMethods, let check = methods.pointee.xCheckReservedLock else {
      return false
    }
    var isReserved: Int32 = 0
    _ = check(file, &isReserved)
    return isReserved != 0
  }

  /// A number that is another one whenever another process has changed the file. It is that of the transaction, if there is one.
  public func dataVersion() throws(SQLiteFailure) -> Int64 {
    try touch()
    return try column("PRAGMA data_version").first.flatMap { Int64($0) } ?? 0
  }

  /// Runs a long reading, and ends it with `interrupted` as soon as another process is about to change the file.
  public func givingWay<Result: ~Copyable>(
    _ body: () throws(SQLiteFailure) -> Result
  ) throws(SQLiteFailure) -> Result {
    // It has a limit of its own, and is in memory.
    if end != 0 { return try body() }
    var file: UnsafeMutablePointer<sqlite3_file>?
    guard sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK else { throw failure() }
    // Some 2 ms apart.
    sqlite3_progress_handler(
      handle, 20_000,
      { file in Self.isReserved(file?.assumingMemoryBound(to: sqlite3_file.self)) ? 1 : 0 }, file)
    defer { sqlite3_progress_handler(handle, 0, nil, nil) }
    return try body()
  }

  /// Copies the whole database, as it is at one moment, into the file of `target`, through SQLite's backup interface: some pages at a time,
  /// so that others can change it meanwhile. It then begins anew; the sixth time it does not let them.
  ///
  /// - Parameters:
  ///   - busyMilliseconds: how long to wait for a lock.
  ///   - atOnce: does not let them the first time either.
  public func backUp(
    to target: borrowing SQLiteConnection, busyMilliseconds: Int, atOnce: Bool = false
  ) throws(SQLiteFailure) {
    guard let backup = sqlite3_backup_init(target.handle, "main", handle, "main") else { throw target.failure() }
    let stepped = run(backup, busyMilliseconds, atOnce)
    let finished = sqlite3_backup_finish(backup)
    // SQLITE_BUSY and SQLITE_LOCKED from the step are not repeated by the finish.
    guard stepped == SQLITE_DONE else {
      throw SQLiteFailure(code: stepped, message: String(cString: sqlite3_errstr(stepped)))
    }
    guard finished == SQLITE_OK else { throw target.failure() }
  }

  private func run(_ backup: OpaquePointer, _ busyMilliseconds: Int, _ atOnce: Bool) -> Int32 {
    // Half a megabyte: shorter than a commit waits for a reader.
    var pages: Int32 = atOnce ? -1 : 128
    var remaining = Int32.max
    var restarts = 0
    var refusals = 0
    while true {
      let code = sqlite3_backup_step(backup, pages)
      switch code {
      case SQLITE_OK:
        refusals = 0
        let now = sqlite3_backup_remaining(backup)
        if now >= remaining { restarts += 1 }
        remaining = now
        if restarts > 5 { pages = -1 }
        usleep(isReserved ? 20_000 : 500)
      case SQLITE_BUSY, SQLITE_LOCKED:
        guard refusals * 10 < busyMilliseconds else { return code }
        refusals += 1
        usleep(10_000)
      default: return code
      }
    }
  }
}
