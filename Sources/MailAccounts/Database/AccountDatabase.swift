import Glibc
import Linux
import SQLite

/// The account database, open. Every request is one transaction; nothing holds a lock between two of them.
public struct AccountDatabase: ~Copyable {
  public enum Access: Sendable, Equatable {
    /// Reads, waits for nobody, and undoes nothing.
    case look
    /// Reads; undoes an interrupted change where this user may.
    case read
    case change
    /// Makes the file (mode 0640) or, in a file without any, the tables.
    case create(owner: String, group: String)
  }

  let connection: SQLiteConnection
  public let path: String
  let busySeconds: Int
  /// Whether file or tables were made just now.
  public let isNew: Bool
  let mailSystem: LazyMailSystem

  /// - Parameters:
  ///   - busySeconds: how long to wait for other processes' locks.
  ///   - mailSystem: asked at most once, where an address may be one that postfix knows more about.
  public init(
    path given: String, _ access: Access, busySeconds: Int = 10,
    mailSystem: @escaping () -> MailSystem = { MailSystem() }
  ) throws(AccountError) {
    let file = try AccountFile(given)
    if case .create(let owner, let group) = access, (file.size ?? 0) == 0 {
      try file.create(owner: owner, group: group)
    } else if (file.size ?? 0) == 0 {
      throw .database(.missing, path: file.path)
    }
    let seconds = access == .look ? 0 : busySeconds
    let opened = try Self.opened(file.path, access, seconds)
    self.busySeconds = seconds
    self.mailSystem = LazyMailSystem(mailSystem)
    path = file.path
    connection = opened.connection
    isNew = opened.isNew
  }

  /// With another connection, to the same data.
  init(_ connection: consuming SQLiteConnection, insteadOf other: borrowing AccountDatabase) {
    self.connection = connection
    path = other.path
    busySeconds = other.busySeconds
    isNew = false
    mailSystem = other.mailSystem
  }

  /// With a connection to a database in memory.
  init(_ connection: consuming SQLiteConnection, called name: String) {
    self.connection = connection
    path = name
    busySeconds = 0
    isNew = false
    mailSystem = LazyMailSystem { MailSystem() }
  }

  private struct Opened: ~Copyable {
    let connection: SQLiteConnection
    var isNew = false
  }

  private static func opened(
    _ path: String, _ access: Access, _ busySeconds: Int
  ) throws(AccountError) -> Opened {
    let problem: DatabaseProblem
    do throws(SQLiteFailure) {
      var opened = Opened(connection: try open(path, access, busySeconds))
      // Not by the file's size: what was interrupted while it was made is undone only now.
      if try opened.connection.column("SELECT 1 FROM sqlite_master LIMIT 1").isEmpty {
        guard case .create = access else { throw SQLiteFailure.noTables }
        opened.isNew = try createTables(opened.connection)
      }
      if access != .read && access != .look { try Self.chooseForeignKeys(opened.connection) }
      let version = try opened.connection.column("PRAGMA user_version").first.flatMap { Int64($0) } ?? 0
      if version <= Schema.version { return opened }
      problem = .newerSchema(version)
    } catch {
      // After a crash somebody who may write has to undo the interrupted change, and that may be us.
      if access == .read, error.kind == .interruptedChange, Glibc.access(path, W_OK) == 0 {
        return try opened(path, .change, busySeconds)
      }
      problem = error == .noTables ? .missing : DatabaseProblem(error, busySeconds)
    }
    throw .database(problem, path: path)
  }

  private static func open(
    _ path: String, _ access: Access, _ busySeconds: Int
  ) throws(SQLiteFailure) -> SQLiteConnection {
    let milliseconds = Int32(busySeconds * 1000)
    if access == .read || access == .look {
      let connection = try SQLiteConnection(
        path: path, access: .readOnly, busyMilliseconds: milliseconds, followLinks: false)
      // What is in the file may be damaged, or not ours. With the usual 2 MB of cache, 100,000 users in order of their addresses are
      // 100,000 reads of the file.
      try connection.execute(
        "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA cache_size=-32768")
      return connection
    }
    let connection = try SQLiteConnection(
      path: path, access: .readWriteShortly, busyMilliseconds: milliseconds, followLinks: false)
    // Without cache_spill=OFF a large change would lock readers out long before its commit.
    try connection.execute(
      "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA cache_spill=OFF; PRAGMA cache_size=-32768")
    return connection
  }

  /// Ours are off: what belongs to a domain is removed by name, and looking for it once more would read every user while others wait. Tables
  /// of another program that refer to ours have theirs.
  private static func chooseForeignKeys(_ connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
    let others = try connection.column(
      """
      SELECT 1 FROM sqlite_master AS t, pragma_foreign_key_list(t.name)
      WHERE t.type='table' AND lower(t.name) NOT IN ('users', 'aliases') LIMIT 1
      """)
    try connection.execute("PRAGMA foreign_keys=\(others.isEmpty ? "OFF" : "ON")")
  }

  /// - Returns: false when another process was faster.
  private static func createTables(_ connection: borrowing SQLiteConnection) throws(SQLiteFailure) -> Bool {
    try connection.execute("BEGIN IMMEDIATE")
    return try holdingSignals { _ throws(SQLiteFailure) in
      do throws(SQLiteFailure) {
        let isEmpty = try connection.column("SELECT 1 FROM sqlite_master LIMIT 1").isEmpty
        if isEmpty { try connection.execute(Schema.creation) }
        try connection.execute("COMMIT")
        return isEmpty
      } catch {
        try? connection.execute("ROLLBACK")
        throw error
      }
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
}

extension SQLiteFailure {
  /// A database without a single table.
  fileprivate static let noTables = SQLiteFailure(code: -1, message: "")
}

extension DatabaseProblem {
  init(_ failure: SQLiteFailure, _ busySeconds: Int) {
    self =
      switch failure.kind {
      case .busy: .busy(seconds: busySeconds)
      case .full: .full
      case .interruptedChange: .interruptedChange
      case .foreignJournal: .foreignJournal
      case .readOnly: .readOnly
      case .damaged: .damaged(failure.message)
      case .notADatabase: .notADatabase
      case .interrupted: .other("what is asked of it takes too long (\(failure.message))")
      case .other: .other(failure.message)
      }
  }
}
