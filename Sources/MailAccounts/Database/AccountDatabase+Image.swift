import CLinux
import Glibc
import SQLite

// The whole database as one row of bytes, and the whole database replaced by one.
extension AccountDatabase {
  /// All of it as it is at one moment, taken while others go on using it.
  public func image() throws(AccountError) -> [UInt8] {
    try explained { () throws(SQLiteFailure) in
      let copy = try SQLiteConnection.inMemory()
      try connection.backUp(to: copy, busyMilliseconds: busySeconds * 1000)
      return try copy.image()
    }
  }

  /// A database that is in no file.
  ///
  /// - Parameters:
  ///   - name: for what is said of it.
  ///   - isOwn: whether this host has it in use, with whatever views and triggers.
  /// - Throws: where it is none of ours.
  public static func reading(
    image: [UInt8], called name: String, isOwn: Bool = false
  ) throws(AccountError) -> AccountDatabase {
    guard image.count >= 100, image.starts(with: Array("SQLite format 3\u{0}".utf8)) else {
      throw .database(.notADatabase, path: name)
    }
    let problem: DatabaseProblem
    do {
      let connection = try SQLiteConnection.reading(image: image)
      try connection.distrustContents()
      if !isOwn, let other = try Schema.foreignDefinition(in: connection) {
        throw AccountError.invalid("\(name) is refused: it has \(other), which would run unseen")
      }
      let missing = try Schema.missing(in: connection)
      let version = try connection.column("PRAGMA user_version").first.flatMap { Int64($0) } ?? 0
      if missing.isEmpty, version <= Schema.version { return AccountDatabase(connection, called: name) }
      problem = missing.isEmpty ? .newerSchema(version) : .foreignSchema(missing)
    } catch let error as AccountError {
      throw error
    } catch let error as SQLiteFailure {
      problem = DatabaseProblem(error, 0)
    } catch {
      throw .invalid("\(name): \(error)")
    }
    throw .database(problem, path: name)
  }

  /// What SQLite writes into the file with each change, and which file it is.
  public struct Moment: Equatable, Sendable {
    fileprivate var counter: [UInt8]
    fileprivate var device: UInt64
    fileprivate var file: UInt64
  }

  /// The present moment. No change is under way in this process.
  public func moment() throws(AccountError) -> Moment {
    let file = try OpenedDatabase(path)
    return try file.moment()
  }

  /// Replaces all that is in it, in one transaction: others see it as before, or as it is then.
  ///
  /// - Parameter since: false is returned, and nothing changed, when somebody has changed it after that moment.
  public func replaceContents(with image: [UInt8], since moment: Moment) throws(AccountError) -> Bool {
    // Closed last: closing it while SQLite has a lock would drop the lock.
    let file = try OpenedDatabase(path)
    let isReplaced = try explained { () throws(SQLiteFailure) in
      let source = try SQLiteConnection.reading(image: image)
      let target = try SQLiteConnection(
        path: path, access: .readWrite, busyMilliseconds: Int32(busySeconds * 1000), followLinks: false)
      return try holdingSignals { _ throws(SQLiteFailure) in
        try target.replaceContents(with: source, busyMilliseconds: busySeconds * 1000) {
          (try? file.moment()) == moment
        }
      }
    }
    do {
      try syncDirectory(of: path)
    } catch {
      throw .invalid("\(path): \(error)")
    }
    return isReplaced
  }
}

/// A descriptor of the file beside SQLite's own.
private struct OpenedDatabase: ~Copyable {
  private let descriptor: Int32
  private let path: String

  init(_ path: String) throws(AccountError) {
    self.path = path
    descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else { throw .database(.opening(errno), path: path) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func moment() throws(AccountError) -> AccountDatabase.Moment {
    var counter = [UInt8](repeating: 0, count: 4)
    var status = stat()
    // By its name: another file may have been put in its place.
    guard lstat(path, &status) == 0,
      // https://www.sqlite.org/fileformat2.html#file_change_counter
      counter.withUnsafeMutableBytes({ pread(descriptor, $0.baseAddress, 4, 24) }) == 4
    else { throw .database(.opening(errno), path: path) }
    return AccountDatabase.Moment(counter: counter, device: UInt64(status.st_dev), file: UInt64(status.st_ino))
  }
}
