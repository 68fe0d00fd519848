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
        "\(path) is empty (0 bytes)",
        hint: "restore it from a backup; a service that was started over the empty mount point leaves such a file")
    }
    let header = try file.prefix(100)
    guard header.starts(with: magic) else {
      throw Problem("\(path) is not an SQLite database", hint: "restore it from a backup")
    }
    // Opening a WAL database makes files beside it even for readers, so it is recognized by its header.
    if header.count == 100, versionOffsets.contains(where: { header[$0] == versionWAL }) {
      throw Problem(
        "\(path) is in journal mode WAL, which chrooted postfix daemons cannot open",
        hint: "sqlite3 \(shellWord(path)) 'PRAGMA journal_mode=DELETE'")
    }
  }

  /// Owner, group and mode of the file and of its directory.
  static func accessProblems(of file: borrowing OpenedFile, owner: String, group: String) -> [Problem] {
    let path = file.path
    guard let ownerNumber = UserAccount(named: owner)?.uid else { return [Problem("there is no user \(owner)")] }
    guard let groupNumber = groupNumber(group) else {
      return [Problem("there is no group \(group), which must own \(path)")]
    }
    var problems: [Problem] = []
    let mode = file.status.st_mode & 0o7777
    if file.status.st_uid != ownerNumber || file.status.st_gid != groupNumber || mode != self.mode {
      let seen = "\(userName(file.status.st_uid)):\(groupName(file.status.st_gid)) \(octal(mode))"
      problems.append(
        Problem(
          "\(path) is \(seen), not \(owner):\(group) \(octal(self.mode))",
          hint: "chown \(shellWord(owner)):\(shellWord(group)) \(shellWord(path)) && "
            + "chmod \(octal(self.mode)) \(shellWord(path))"))
    }
    return problems + directoryProblems(of: path)
  }

  /// Postfix's and dovecot's users must get through the directory; only root may put files there.
  private static func directoryProblems(of path: String) -> [Problem] {
    let directory = parentDirectory(of: path)
    var status = stat()
    guard stat(directory, &status) == 0 else {
      return [Problem("cannot look at \(directory): \(errorText(errno))")]
    }
    let mode = status.st_mode & 0o7777
    guard status.st_uid == 0, mode & 0o755 == 0o755, mode & 0o022 == 0 else {
      let fix = "chown root \(shellWord(directory)) && chmod 0755 \(shellWord(directory))"
      return [
        Problem("\(directory) is \(userName(status.st_uid)) \(octal(mode)), not root 0755", hint: fix)
      ]
    }
    return []
  }
}

/// The directory that holds `path`, textually.
func parentDirectory(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
