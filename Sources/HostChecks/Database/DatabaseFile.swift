import CLinux
import Glibc
import Linux
import MailbootCore
import Text

/// What can be said about the account database's file without SQLite.
enum DatabaseFile {
  /// Mode of the file: root writes, the mail group reads, nobody else.
  static let mode: mode_t = 0o640

  private static let magic = Array("SQLite format 3\u{0}".utf8)
  /// Offsets and value in the file header (https://www.sqlite.org/fileformat2.html#file_format_version_numbers).
  private static let versionOffsets = 18...19
  private static let versionWAL: UInt8 = 2

  /// Throws when the file cannot be handed to SQLite at all.
  static func requireReadable(_ file: borrowing OpenedFile) throws(Problem) {
    let path = file.path
    guard file.size > 0 else {
      throw Problem(
        .databaseMissing, "\(path) is empty (0 bytes)",
        hint: "restore it from a backup; a service that was started over the empty mount point leaves such a file")
    }
    let header: [UInt8]
    do { header = try file.prefix(100) } catch { throw error.problem(.databaseUnreadable) }
    guard header.starts(with: magic) else {
      throw Problem(.databaseForeign, "\(path) is not an SQLite database", hint: "restore it from a backup")
    }
    // Opening a WAL database makes files beside it even for readers, so it is recognized by its header.
    if header.count == 100, versionOffsets.contains(where: { header[$0] == versionWAL }) {
      throw Problem(
        .databaseWAL, "\(path) is in journal mode WAL, which chrooted postfix daemons cannot open",
        hint: "sqlite3 \(shellWord(path)) 'PRAGMA journal_mode=DELETE'")
    }
  }

  /// Owner, group and mode of the file and of its directory.
  ///
  /// A web panel may own it, dovecot may read it as its owner: that is for their administrator to know. Keeping mail down is for what
  /// cannot work, and for what lets everybody redirect other people's mail. Password hashes that everybody may read are neither:
  /// they were just as open before, mail that waits makes them no safer, and who may not log in to the host cannot read them.
  static func accessProblems(of file: borrowing OpenedFile, owner: String, group: String) -> [Problem] {
    let path = file.path
    let mode = file.status.st_mode & 0o7777
    let seen = "\(userName(file.status.st_uid)):\(groupName(file.status.st_gid)) \(octal(mode))"
    let wanted = "\(owner):\(group) \(octal(self.mode))"
    let ownerNumber = UserAccount(named: owner)?.uid
    let wantedGroup = groupNumber(group)
    var hint: String?
    if wantedGroup != nil {
      hint =
        "chown \(shellWord(owner)):\(shellWord(group)) \(shellWord(path)) && chmod \(octal(self.mode)) \(shellWord(path))"
    }
    var problems: [Problem] = []
    if mode & 0o002 != 0 {
      problems = [Problem(.databaseWritable, "\(path) is \(seen): everybody may write it", hint: hint)]
    } else if file.status.st_uid == 0, mode & 0o044 == 0 {
      problems = [Problem(.databaseClosed, "\(path) is \(seen): only root can read it, not \(wanted)", hint: hint)]
    } else if file.status.st_uid != ownerNumber || file.status.st_gid != wantedGroup || mode != self.mode {
      let open = mode & 0o004 != 0 ? ": everybody may read the passwords' hashes" : ""
      problems = [Problem(.databaseAccess, "\(path) is \(seen), not \(wanted)\(open)", hint: hint)]
    }
    return problems + directoryProblems(of: path)
  }

  /// Postfix's and dovecot's users must get through the directory; who may put files there may replace the database.
  private static func directoryProblems(of path: String) -> [Problem] {
    let directory = parentDirectory(of: path)
    var status = stat()
    guard stat(directory, &status) == 0 else {
      return [Problem(.databaseUnreadable, "cannot look at \(directory): \(errorText(errno))")]
    }
    let mode = status.st_mode & 0o7777
    let fix = "chown root \(shellWord(directory)) && chmod 0755 \(shellWord(directory))"
    let seen = "\(directory) is \(userName(status.st_uid)) \(octal(mode))"
    if mode & 0o1002 == 0o002 {
      return [Problem(.databaseWritable, "\(seen): everybody may replace the database in it", hint: fix)]
    }
    if status.st_uid == 0, mode & 0o011 == 0 {
      return [Problem(.databaseClosed, "\(seen): only root gets into it", hint: fix)]
    }
    guard status.st_uid == 0, mode & 0o755 == 0o755, mode & 0o022 == 0 else {
      return [Problem(.databaseAccess, "\(seen), not root 0755", hint: fix)]
    }
    return []
  }
}
