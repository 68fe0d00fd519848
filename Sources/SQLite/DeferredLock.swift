import CSQLite
import Glibc

/// A database file whose commit takes EXCLUSIVE right before it writes to it: see ``ShortLockVFS``.
final class DeferredLock {
  private let file: UnsafeMutablePointer<sqlite3_file>
  private var methods: sqlite3_io_methods { file.pointee.pMethods.pointee }

  /// Whether this connection holds RESERVED: it is changing something, not undoing what another left behind.
  private var isChanging = false
  private var phase = Phase.passing

  private enum Phase {
    /// SQLite has the locks that it believes to have.
    case passing
    /// SQLite believes to have EXCLUSIVE. Nothing has been written yet.
    case deferring
    /// EXCLUSIVE was not to be had: SQLite is undoing a change of which nothing was written.
    case abandoning
  }

  init(file: UnsafeMutablePointer<sqlite3_file>) { self.file = file }

  func lock(_ level: Int32) -> Int32 {
    if level == SQLITE_LOCK_EXCLUSIVE && isChanging {
      if phase == .passing { phase = .deferring }
      return SQLITE_OK
    }
    let code = methods.xLock(file, level)
    if code == SQLITE_OK && level == SQLITE_LOCK_RESERVED { isChanging = true }
    return code
  }

  func unlock(_ level: Int32) -> Int32 {
    isChanging = false
    phase = .passing
    return methods.xUnlock(file, level)
  }

  func write(_ bytes: UnsafeRawPointer?, _ count: Int32, _ place: Int64) -> Int32 {
    changing { methods.xWrite(file, bytes, count, place) }
  }

  func truncate(_ size: Int64) -> Int32 {
    changing { methods.xTruncate(file, size) }
  }

  /// Runs `change` with the lock that SQLite believes to have.
  private func changing(_ change: () -> Int32) -> Int32 {
    // What would be undone is there: the file was not touched.
    if phase == .abandoning { return SQLITE_OK }
    if phase == .deferring {
      let code = takeExclusive()
      guard code == SQLITE_OK else {
        phase = .abandoning
        // SQLITE_BUSY would have SQLite keep the transaction open, with its pages taken for written: the next COMMIT would say that all is
        // well, and the change would be lost.
        return code == SQLITE_BUSY ? mb_sqlite_ioerr_lock() : code
      }
      phase = .passing
    }
    return change()
  }

  private func takeExclusive() -> Int32 {
    var tries = 0
    while true {
      let code = methods.xLock(file, SQLITE_LOCK_EXCLUSIVE)
      guard code == SQLITE_BUSY, tries < ShortLockVFS.patience else { return code }
      tries += 1
      usleep(200)
    }
  }

  func read(_ bytes: UnsafeMutableRawPointer?, _ count: Int32, _ place: Int64) -> Int32 {
    methods.xRead(file, bytes, count, place)
  }

  func sync(_ flags: Int32) -> Int32 { methods.xSync(file, flags) }
  func size(_ size: UnsafeMutablePointer<Int64>?) -> Int32 { methods.xFileSize(file, size) }
  func checkReservedLock(_ result: UnsafeMutablePointer<Int32>?) -> Int32 { methods.xCheckReservedLock(file, result) }
  func control(_ operation: Int32, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    methods.xFileControl(file, operation, argument)
  }
  var sectorSize: Int32 { methods.xSectorSize(file) }

  /// Without those that let SQLite write pages with no journal: a change that is given up could not be undone.
  var characteristics: Int32 {
    methods.xDeviceCharacteristics(file) & ~(SQLITE_IOCAP_BATCH_ATOMIC | Self.atomicWrites)
  }

  /// `SQLITE_IOCAP_ATOMIC` and those for each size.
  private static let atomicWrites: Int32 = 0x1ff
}
