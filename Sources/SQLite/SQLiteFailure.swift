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

  /// Something is there already that may be there once: SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY, _ROWID.
  public var isDuplicate: Bool { [8, 6, 10].contains { code == SQLITE_CONSTRAINT | $0 << 8 } }

  public var kind: Kind {
    switch primary {
    case SQLITE_BUSY, SQLITE_LOCKED: .busy
    // A commit that takes its lock late: see ``ShortLockVFS``.
    case SQLITE_IOERR where code == mb_sqlite_ioerr_lock(): .busy
    case SQLITE_FULL: .full
    case SQLITE_READONLY where code == mb_sqlite_readonly_rollback(): .interruptedChange
    case SQLITE_READONLY, SQLITE_PERM: .readOnly
    // Said by our own VFS only: there is no authorizer.
    case SQLITE_AUTH: .foreignJournal
    case SQLITE_INTERRUPT: .interrupted
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
    /// There is a journal that somebody may have made who may not change the database.
    case foreignJournal
    /// What was running was ended by its own ``SQLiteConnection/givingWay(_:)``.
    case interrupted
    case readOnly, damaged, notADatabase, other
  }
}
