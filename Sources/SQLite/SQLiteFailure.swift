import CSQLite

/// What SQLite said, with its extended result code (https://www.sqlite.org/rescode.html).
public struct SQLiteFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The extended result code.
  public var code: Int32
  public var message: String

  public init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }

  /// The primary result code.
  public var primary: Int32 { code & 0xff }

  public var kind: Kind {
    switch primary {
    case SQLITE_BUSY, SQLITE_LOCKED: .busy
    // A commit that takes its lock late: see ``ShortLockVFS``.
    case SQLITE_IOERR where code == mb_sqlite_ioerr_lock(): .busy
    case SQLITE_FULL: .full
    case SQLITE_READONLY where code == mb_sqlite_readonly_rollback(): .interruptedChange
    case SQLITE_READONLY, SQLITE_PERM: .readOnly
    case SQLITE_CORRUPT: .damaged
    case SQLITE_NOTADB: .notADatabase
    default: .other
    }
  }

  public var description: String { message }

  /// What a caller can do something about.
  public enum Kind: Sendable {
    /// Another process holds a lock, and did so until the busy timeout had passed.
    case busy
    /// The file system is full.
    case full
    /// A change was interrupted (power cut, kill); a reader may not undo it.
    case interruptedChange
    case readOnly, damaged, notADatabase, other
  }
}
