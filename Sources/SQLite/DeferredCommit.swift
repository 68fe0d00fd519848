import CSQLite
import Glibc

/// A database file whose commit takes EXCLUSIVE as late as it can: see ``ShortLockVFS``.
final class DeferredCommit {
  private let file: UnsafeMutablePointer<sqlite3_file>
  private var methods: sqlite3_io_methods { file.pointee.pMethods.pointee }

  /// Whether this connection holds RESERVED: it is changing something, not undoing what another left behind.
  private var isWriting = false
  private var phase = Phase.passing
  /// Bytes of the file before the commit: what readers may look at.
  private var oldSize: Int64 = 0
  /// Pages before the old end that are still to be written, by their place.
  private var held: [Int64: [UInt8]] = [:]

  private enum Phase {
    /// SQLite has the locks it believes to have.
    case passing
    /// SQLite believes to have EXCLUSIVE.
    case deferring
    /// EXCLUSIVE was not to be had: SQLite is undoing the change, of which no reader has seen anything.
    case abandoning
  }

  init(file: UnsafeMutablePointer<sqlite3_file>) { self.file = file }

  func lock(_ level: Int32) -> Int32 {
    if level == SQLITE_LOCK_EXCLUSIVE && isWriting {
      guard phase == .passing else { return SQLITE_OK }
      let code = methods.xFileSize(file, &oldSize)
      guard code == SQLITE_OK else { return code }
      // Of an empty file readers look at the whole, also at what is written behind its old end.
      guard oldSize > 0 else { return methods.xLock(file, level) }
      phase = .deferring
      return code
    }
    let code = methods.xLock(file, level)
    if code == SQLITE_OK && level == SQLITE_LOCK_RESERVED { isWriting = true }
    return code
  }

  func unlock(_ level: Int32) -> Int32 {
    isWriting = false
    phase = .passing
    held = [:]
    return methods.xUnlock(file, level)
  }

  func write(_ bytes: UnsafeRawPointer?, _ count: Int32, _ place: Int64) -> Int32 {
    guard phase != .passing && place < oldSize else { return methods.xWrite(file, bytes, count, place) }
    // Undoing writes what is there: the file was not touched before its old end.
    if phase == .deferring { held[place] = Array(UnsafeRawBufferPointer(start: bytes, count: Int(count))) }
    return SQLITE_OK
  }

  func read(_ bytes: UnsafeMutableRawPointer?, _ count: Int32, _ place: Int64) -> Int32 {
    let code = methods.xRead(file, bytes, count, place)
    guard !held.isEmpty, let bytes else { return code }
    for (begin, page) in held where begin < place + Int64(count) && place < begin + Int64(page.count) {
      let from = max(begin, place)
      let length = min(begin + Int64(page.count), place + Int64(count)) - from
      page.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(start: bytes + Int(from - place), count: Int(length)).copyBytes(
          from: $0[Int(from - begin)..<Int(from - begin + length)])
      }
    }
    return code
  }

  func truncate(_ size: Int64) -> Int32 {
    if phase == .deferring && size < oldSize {
      let code = finish()
      guard code == SQLITE_OK else { return code }
    }
    return methods.xTruncate(file, size)
  }

  func sync(_ flags: Int32) -> Int32 { methods.xSync(file, flags) }

  func control(_ operation: Int32, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    // Comes before each sync of the file, also where syncing is switched off.
    if operation == SQLITE_FCNTL_SYNC && phase == .deferring {
      let code = finish()
      guard code == SQLITE_OK else { return code }
    }
    return methods.xFileControl(file, operation, argument)
  }

  func size(_ size: UnsafeMutablePointer<Int64>?) -> Int32 { methods.xFileSize(file, size) }

  func checkReservedLock(_ result: UnsafeMutablePointer<Int32>?) -> Int32 { methods.xCheckReservedLock(file, result) }

  var sectorSize: Int32 { methods.xSectorSize(file) }

  /// Without those that let SQLite write pages with no journal.
  var characteristics: Int32 {
    methods.xDeviceCharacteristics(file) & ~(SQLITE_IOCAP_BATCH_ATOMIC | Self.atomicWrites)
  }

  /// `SQLITE_IOCAP_ATOMIC` and those for each size.
  private static let atomicWrites: Int32 = 0x1ff

  /// Writes what was held, with the lock that SQLite believes to have all along. From then on it has it.
  private func finish() -> Int32 {
    // What can be on the disk before readers have to wait is.
    var code = methods.xSync(file, SQLITE_SYNC_NORMAL)
    guard code == SQLITE_OK else { return code }
    code = takeExclusive()
    guard code == SQLITE_OK else {
      phase = .abandoning
      held = [:]
      return code
    }
    phase = .passing
    for (place, page) in held.sorted(by: { $0.key < $1.key }) where code == SQLITE_OK {
      code = page.withUnsafeBytes { methods.xWrite(file, $0.baseAddress, Int32($0.count), place) }
    }
    held = [:]
    return code
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
}
