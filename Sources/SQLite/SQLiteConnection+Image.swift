import CSQLite
import Glibc

// A database as one row of bytes, in memory: nothing of it is in a file that somebody would have to remove.
extension SQLiteConnection {
  /// An empty database in memory, to copy another one into.
  public static func inMemory() throws(SQLiteFailure) -> SQLiteConnection {
    try SQLiteConnection(path: ":memory:", access: .readWrite, busyMilliseconds: 0)
  }

  /// A database from the bytes of its file. It cannot be changed.
  ///
  /// - Parameter seconds: how long all that is asked of it may take: somebody may have made it so that it takes for ever.
  public static func reading(image: [UInt8], seconds: Int = 60) throws(SQLiteFailure) -> SQLiteConnection {
    let connection = try SQLiteConnection(
      path: ":memory:", access: .readWrite, busyMilliseconds: 0, seconds: seconds)
    guard !image.isEmpty, let space = sqlite3_malloc64(UInt64(image.count)) else {
      throw SQLiteFailure(code: SQLITE_NOMEM, message: String(cString: sqlite3_errstr(SQLITE_NOMEM)))
    }
    memcpy(space, image, image.count)
    let size = Int64(image.count)
    let flags = UInt32(SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY)
    // It frees the bytes also where it fails.
    let code = sqlite3_deserialize(
      connection.handle, "main", space.assumingMemoryBound(to: UInt8.self), size, size, flags)
    guard code == SQLITE_OK else { throw connection.failure() }
    return connection
  }

  /// The bytes that its file would have.
  public func image() throws(SQLiteFailure) -> [UInt8] {
    var size: Int64 = 0
    guard let bytes = sqlite3_serialize(handle, "main", &size, 0) else {
      throw SQLiteFailure(code: SQLITE_NOMEM, message: String(cString: sqlite3_errstr(SQLITE_NOMEM)))
    }
    defer { sqlite3_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: Int(size)))
  }

  /// Replaces all that is in this database by what is in another one, in one transaction.
  ///
  /// - Parameters:
  ///   - busyMilliseconds: how long to wait for other processes' locks.
  ///   - isStill: asked when nobody else can change the file any more. False: nothing is changed.
  /// - Returns: what `isStill` said.
  public func replaceContents(
    with other: borrowing SQLiteConnection, busyMilliseconds: Int, ifStill isStill: () -> Bool
  ) throws(SQLiteFailure) -> Bool {
    guard let backup = sqlite3_backup_init(handle, "main", other.handle, "main") else { throw failure() }
    var refusals = 0
    var code: Int32 = SQLITE_OK
    var mayGoOn = false
    repeat {
      // No page yet: it takes the locks.
      code = sqlite3_backup_step(backup, 0)
      if code == SQLITE_BUSY || code == SQLITE_LOCKED {
        refusals += 1
        usleep(10_000)
      }
    } while (code == SQLITE_BUSY || code == SQLITE_LOCKED) && refusals * 10 < busyMilliseconds
    if code == SQLITE_OK {
      mayGoOn = isStill()
      if mayGoOn { code = sqlite3_backup_step(backup, -1) }
    }
    let finished = sqlite3_backup_finish(backup)
    if code == SQLITE_OK, !mayGoOn { return false }
    guard code == SQLITE_DONE else {
      throw SQLiteFailure(code: code, message: String(cString: sqlite3_errstr(code)))
    }
    guard finished == SQLITE_OK else { throw failure() }
    return true
  }
}
