import CSQLite
import Glibc

// Postfix reads with no busy timeout: while a commit holds EXCLUSIVE, a lookup fails and its smtpd dies. SQLite takes that lock before it
// syncs the journal: two or three syncs long nothing happens but waiting for the disk. This VFS (a shim over "unix", see
// https://www.sqlite.org/vfs.html#vfs_shims) lets the commit go on with RESERVED, which disturbs no reader, until the first page is
// written. By then the journal is complete and synced, and undoes all of it after a crash, as ever. What remains under the lock are the
// writes of the pages and one sync.
//
// It also trusts no journal further than the database. A journal that was left behind may name a "super-journal", of a transaction of several
// files; SQLite would open and delete whatever is named there, with our rights. And where everybody may make files (/tmp), a journal that
// somebody has put beside another's database would be written into that.
enum ShortLockVFS {
  static let name = "mailboot-short-lock"

  /// How often to try for EXCLUSIVE, 0.2 ms and a little more apart: some 8 ms. Whoever reads for longer makes the commit fail, to be
  /// tried again later. New readers are kept out until SQLite has undone the change in its memory.
  static let patience = 30

  /// Registers it with SQLite, once.
  static let isRegistered: Bool = register()

  private static func register() -> Bool {
    guard let original = sqlite3_vfs_find("unix") else { return false }
    let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    // Everything but opening is unix's own, which looks at no other member of what it is called with than the longest path.
    vfs.initialize(to: original.pointee)
    vfs.pointee.pNext = nil
    vfs.pointee.zName = UnsafePointer(strdup(name))
    vfs.pointee.szOsFile = original.pointee.szOsFile + Int32(ShimFile.headerSize)
    vfs.pointee.pAppData = UnsafeMutableRawPointer(original)
    vfs.pointee.xOpen = { vfs, path, file, flags, outFlags in
      guard let file, let original = vfs?.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self) else {
        return SQLITE_CANTOPEN
      }
      if flags & SQLITE_OPEN_SUPER_JOURNAL != 0 { return EmptyFile.open(file) }
      if flags & SQLITE_OPEN_MAIN_JOURNAL != 0, flags & SQLITE_OPEN_CREATE == 0, let path {
        let trust = JournalTrust.code(journal: String(cString: path))
        if trust != SQLITE_OK {
          file.pointee.pMethods = nil
          return trust
        }
      }
      let isDatabase = flags & SQLITE_OPEN_MAIN_DB != 0
      let inner = isDatabase ? ShimFile.inner(of: file) : file
      let code = original.pointee.xOpen(original, path, inner, flags, outFlags)
      guard isDatabase else { return code }
      if let path { JournalTrust.note(database: String(cString: path)) }
      // Without methods SQLite does not close it.
      guard code == SQLITE_OK else {
        if inner.pointee.pMethods != nil { _ = inner.pointee.pMethods.pointee.xClose(inner) }
        file.pointee.pMethods = nil
        return code
      }
      ShimFile.attach(to: file)
      return code
    }
    vfs.pointee.xDelete = { vfs, path, syncDirectory in
      guard let path, let original = vfs?.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self) else {
        return SQLITE_IOERR
      }
      // Left where it is, a super-journal harms nobody.
      guard JournalTrust.isJournal(String(cString: path)) else { return SQLITE_OK }
      return original.pointee.xDelete(original, path, syncDirectory)
    }
    return sqlite3_vfs_register(vfs, 0) == SQLITE_OK
  }
}

/// What SQLite has as the file: its own header, our state, then unix's file.
private enum ShimFile {
  /// A multiple of 16, for the alignment of what follows.
  static let headerSize = 16

  static func inner(of file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<sqlite3_file> {
    (UnsafeMutableRawPointer(file) + headerSize).assumingMemoryBound(to: sqlite3_file.self)
  }

  private static func slot(of file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<UnsafeRawPointer?> {
    (UnsafeMutableRawPointer(file) + MemoryLayout<sqlite3_file>.size).assumingMemoryBound(to: UnsafeRawPointer?.self)
  }

  static func attach(to file: UnsafeMutablePointer<sqlite3_file>) {
    let state = DeferredLock(file: inner(of: file))
    slot(of: file).initialize(to: UnsafeRawPointer(Unmanaged.passRetained(state).toOpaque()))
    file.pointee.pMethods = UnsafePointer(methods)
  }

  static func commit(_ file: UnsafeMutablePointer<sqlite3_file>?) -> DeferredLock? {
    guard let file, let state = slot(of: file).pointee else { return nil }
    return Unmanaged<DeferredLock>.fromOpaque(state).takeUnretainedValue()
  }

  static func close(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
    guard let file, let state = slot(of: file).pointee else { return SQLITE_IOERR }
    slot(of: file).pointee = nil
    Unmanaged<DeferredLock>.fromOpaque(state).release()
    let inner = inner(of: file)
    return inner.pointee.pMethods.pointee.xClose(inner)
  }

  /// Version 1: neither memory-mapped nor WAL.
  nonisolated(unsafe) private static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    var table = sqlite3_io_methods()
    table.iVersion = 1
    table.xClose = { close($0) }
    table.xRead = { commit($0)?.read($1, $2, $3) ?? SQLITE_IOERR }
    table.xWrite = { commit($0)?.write($1, $2, $3) ?? SQLITE_IOERR }
    table.xTruncate = { commit($0)?.truncate($1) ?? SQLITE_IOERR }
    table.xSync = { commit($0)?.sync($1) ?? SQLITE_IOERR }
    table.xFileSize = { commit($0)?.size($1) ?? SQLITE_IOERR }
    table.xLock = { commit($0)?.lock($1) ?? SQLITE_IOERR }
    table.xUnlock = { commit($0)?.unlock($1) ?? SQLITE_IOERR }
    table.xCheckReservedLock = { commit($0)?.checkReservedLock($1) ?? SQLITE_IOERR }
    table.xFileControl = { commit($0)?.control($1, $2) ?? SQLITE_NOTFOUND }
    table.xSectorSize = { commit($0)?.sectorSize ?? 4096 }
    table.xDeviceCharacteristics = { commit($0)?.characteristics ?? 0 }
    methods.initialize(to: table)
    return methods
  }()
}
