import Glibc
import Linux
import SQLite

/// The account database, open. Every request is one transaction; nothing holds a lock between two of them.
public struct AccountDatabase: ~Copyable {
  public enum Access: Sendable, Equatable {
    case read
    case change
    /// Makes the file (mode 0640) or, in a file of 0 bytes, the tables.
    case create(owner: String, group: String)
  }

  let connection: SQLiteConnection
  public let path: String
  /// Its `user_version`.
  let version: Int64
  let busySeconds: Int

  /// - Parameter busySeconds: how long to wait for other processes' locks.
  public init(path given: String, _ access: Access, busySeconds: Int = 10) throws(AccountError) {
    var file = try AccountFile(given)
    if case .create(let owner, let group) = access, file.size == nil { try file.create(owner: owner, group: group) }
    let path = file.path
    guard let size = file.size else { throw .database(.missing, path: path) }
    if size == 0 && (access == .read || access == .change) { throw .database(.missing, path: path) }
    let opened = try Self.opened(path, size, access, busySeconds)
    guard opened.version <= Schema.version else { throw .database(.newerSchema(opened.version), path: path) }
    self.path = path
    self.busySeconds = busySeconds
    version = opened.version
    connection = opened.connection
  }

  private struct Opened: ~Copyable {
    let connection: SQLiteConnection
    let version: Int64
  }

  private static func opened(
    _ path: String, _ size: Int, _ access: Access, _ busySeconds: Int
  ) throws(AccountError) -> Opened {
    do throws(SQLiteFailure) {
      let connection = try open(path, access, busySeconds)
      if size == 0 { try createTables(connection) }
      let version = try connection.column("PRAGMA user_version").first.flatMap { Int64($0) } ?? 0
      return Opened(connection: connection, version: version)
    } catch {
      // After a crash somebody who may write has to undo the interrupted change, and that may be us.
      if access == .read, error.kind == .interruptedChange, Glibc.access(path, W_OK) == 0 {
        return try opened(path, size, .change, busySeconds)
      }
      throw .database(DatabaseProblem(error, busySeconds), path: path)
    }
  }

  private static func open(
    _ path: String, _ access: Access, _ busySeconds: Int
  ) throws(SQLiteFailure) -> SQLiteConnection {
    let milliseconds = Int32(busySeconds * 1000)
    if access == .read {
      let connection = try SQLiteConnection(
        path: path, access: .readOnly, busyMilliseconds: milliseconds, followLinks: false)
      // What is in the file may be damaged, or not ours. With the usual 2 MB of cache, 100,000 users in order of their addresses are
      // 100,000 reads of the file.
      try connection.execute(
        "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA cache_size=-65536")
      return connection
    }
    let connection = try SQLiteConnection(
      path: path, access: .readWriteShortly, busyMilliseconds: milliseconds, followLinks: false)
    // Without cache_spill=OFF a large change would lock readers out long before its commit.
    try connection.execute(
      "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA cache_spill=OFF")
    return connection
  }

  private static func createTables(_ connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
    try connection.execute("BEGIN IMMEDIATE")
    do {
      // Another process may have been faster.
      if try connection.column("SELECT 1 FROM sqlite_master LIMIT 1").isEmpty {
        try connection.execute(Schema.creation)
      }
      try connection.execute("COMMIT")
    } catch {
      try? connection.execute("ROLLBACK")
      throw error
    }
  }

  /// Runs `body`, and says what SQLite's failure means for this file.
  func explained<Result: ~Copyable>(
    _ body: () throws(SQLiteFailure) -> Result
  ) throws(AccountError) -> Result {
    do {
      return try body()
    } catch {
      throw explanation(of: error)
    }
  }

  func explanation(of failure: SQLiteFailure) -> AccountError {
    // SQLITE_ERROR is what a statement gets that names a table or column which is not there.
    if failure.kind == .other, let missing = try? Schema.missing(in: connection), !missing.isEmpty {
      return .database(.foreignSchema(missing), path: path)
    }
    return .database(DatabaseProblem(failure, busySeconds), path: path)
  }

  /// Copies it, as it is at one moment, into a new file with the same owner and mode, while others go on using it.
  public func backUp(to given: String) throws(AccountError) {
    let target = try AccountFile(given)
    guard target.size == nil else { throw .invalid("\(target.path) is there already") }
    var status = stat()
    guard stat(path, &status) == 0 else { throw .database(.other(errnoText()), path: path) }
    let descriptor = Glibc.open(target.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .database(.opening(errno), path: target.path) }
    // Only root can give files away; a reader's copy stays its own.
    if geteuid() == 0 { _ = fchown(descriptor, status.st_uid, status.st_gid) }
    _ = fchmod(descriptor, status.st_mode & 0o777)
    close(descriptor)
    do throws(SQLiteFailure) {
      let copy = try SQLiteConnection(
        path: target.path, access: .readWriteShortly, busyMilliseconds: 0, followLinks: false)
      try connection.backUp(to: copy)
    } catch {
      unlink(target.path)
      throw .database(DatabaseProblem(error, busySeconds), path: target.path)
    }
  }
}

extension DatabaseProblem {
  init(_ failure: SQLiteFailure, _ busySeconds: Int) {
    self =
      switch failure.kind {
      case .busy: .busy(seconds: busySeconds)
      case .full: .full
      case .interruptedChange: .interruptedChange
      case .readOnly: .readOnly
      case .damaged: .damaged(failure.message)
      case .notADatabase: .notADatabase
      case .other: .other(failure.message)
      }
  }
}
