import CLinux
import Glibc
import Linux
import SQLite

extension AccountDatabase {
  /// Copies it, as it is at one moment, into a new file with the same owner and mode, while others go on using it. The file has its name
  /// only once it is whole.
  public func backUp(to given: String) throws(AccountError) {
    let target = try AccountFile(given)
    guard target.size == nil else { throw .invalid("\(target.path) is there already") }
    let part = "\(target.path).\(getpid()).part"
    let descriptor = mb_open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .database(.opening(errno), path: target.path) }
    close(descriptor)
    defer { unlink(part) }
    do throws(SQLiteFailure) {
      let copy = try SQLiteConnection(path: part, access: .readWrite, busyMilliseconds: 0, followLinks: false)
      try connection.backUp(to: copy, busyMilliseconds: busySeconds * 1000)
    } catch {
      throw .database(DatabaseProblem(error, busySeconds), path: error.kind == .busy ? path : target.path)
    }
    do throws(SystemError) {
      try giveAway(part)
      // Unlike rename(2), link(2) never replaces what another program has made there meanwhile.
      guard link(part, target.path) == 0 else { throw SystemError(errnoText(), code: errno) }
      try syncDirectory(of: target.path)
    } catch {
      throw .invalid("\(target.path) was not made: \(error)")
    }
  }

  /// A copy for this process alone, in a file without a name beside the database, or where temporary files go.
  func namelessCopy() throws(AccountError) -> AccountDatabase {
    let directory = parentDirectory(of: path)
    let other = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
    for place in [directory, other] {
      guard let (descriptor, name) = temporaryFile(".mailcfg-", in: place) else { continue }
      close(descriptor)
      defer { unlink(name) }
      return AccountDatabase(
        try explained { () throws(SQLiteFailure) in
          let copy = try SQLiteConnection(path: name, access: .readWrite, busyMilliseconds: 0)
          try copy.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA trusted_schema=OFF")
          // Nothing is to be left of it, however this process ends.
          unlink(name)
          try connection.backUp(to: copy, busyMilliseconds: busySeconds * 1000, atOnce: true)
          return copy
        }, insteadOf: self)
    }
    throw .invalid("there is no place for a copy of \(path): \(errnoText())")
  }

  /// The owner and mode of the database. Only root can give files away; a reader's copy stays its own, and nobody else's to read: the
  /// reader's group is not that of the database.
  private func giveAway(_ copy: String) throws(SystemError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw SystemError(errnoText(), code: errno) }
    let descriptor = mb_open(copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)
    guard descriptor >= 0 else { throw SystemError(errnoText(), code: errno) }
    defer { close(descriptor) }
    if geteuid() == 0, fchown(descriptor, status.st_uid, status.st_gid) == 0 {
      _ = fchmod(descriptor, status.st_mode & 0o777)
    }
  }
}

/// Has the names in a file's directory outlive a power cut: with them the end of a journal, which is what makes a change final.
func syncDirectory(of path: String) throws(SystemError) {
  try syncDirectory(parentDirectory(of: path))
}
