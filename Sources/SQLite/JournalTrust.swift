import CSQLite
import Glibc

/// Which files beside a database are its own.
enum JournalTrust {
  private static let suffix = "-journal"
  nonisolated(unsafe) private static var databases: Set<String> = []
  nonisolated(unsafe) private static let lock: UnsafeMutablePointer<pthread_mutex_t> = {
    let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    lock.initialize(to: pthread_mutex_t())
    pthread_mutex_init(lock, nil)
    return lock
  }()

  /// A database that was opened: its journal may be deleted.
  static func note(database path: String) {
    pthread_mutex_lock(lock)
    databases.insert(path)
    pthread_mutex_unlock(lock)
  }

  static func isJournal(_ path: String) -> Bool {
    guard path.hasSuffix(suffix) else { return false }
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return databases.contains(String(path.dropLast(suffix.count)))
  }

  /// SQLITE_OK for a journal that whoever may change the database has left. Who may make files in its directory may mostly replace the
  /// database as well. Not so in /tmp: there somebody could have root write into root's file. Whose the journal is says nothing: SQLite
  /// itself, as root, gives every journal that it opens to the database's owner.
  static func code(journal path: String) -> Int32 {
    let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    var status = stat()
    guard stat(directory, &status) == 0 else { return SQLITE_CANTOPEN }
    return status.st_mode & S_ISVTX != 0 && status.st_mode & 0o022 != 0 ? SQLITE_AUTH : SQLITE_OK
  }
}

/// What SQLite gets for a super-journal: a file of nothing, so that none is opened.
enum EmptyFile {
  static func open(_ file: UnsafeMutablePointer<sqlite3_file>) -> Int32 {
    file.pointee.pMethods = UnsafePointer(methods)
    return SQLITE_OK
  }

  nonisolated(unsafe) private static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    var table = sqlite3_io_methods()
    table.iVersion = 1
    table.xClose = { _ in SQLITE_OK }
    table.xRead = { _, bytes, count, _ in
      if count > 0 { bytes?.initializeMemory(as: UInt8.self, repeating: 0, count: Int(count)) }
      return SQLITE_OK
    }
    table.xWrite = { _, _, _, _ in SQLITE_READONLY }
    table.xTruncate = { _, _ in SQLITE_READONLY }
    table.xSync = { _, _ in SQLITE_OK }
    table.xFileSize = { _, size in
      size?.pointee = 0
      return SQLITE_OK
    }
    table.xLock = { _, _ in SQLITE_OK }
    table.xUnlock = { _, _ in SQLITE_OK }
    table.xCheckReservedLock = { _, result in
      result?.pointee = 0
      return SQLITE_OK
    }
    table.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
    table.xSectorSize = { _ in 4096 }
    table.xDeviceCharacteristics = { _ in 0 }
    methods.initialize(to: table)
    return methods
  }()
}
