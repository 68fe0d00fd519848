import CLinux
import Glibc
import Linux
import MailbootCore

/// The directories that a mail host keeps in its vault, with owners and modes as `mailhost` and `mailboot verify` want them. What
/// belongs to a user who is not there yet `mailhost apply` makes.
struct VaultLayout {
  /// Where the vault is mounted.
  let root: String

  private struct Directory {
    var path: String
    var owner: String
    var group: String
    var mode: mode_t
  }

  private static let directories = [
    Directory(path: "/", owner: "root", group: "root", mode: 0o755),
    Directory(path: "/maildb", owner: "root", group: "root", mode: 0o755),
    Directory(path: "/vmail", owner: "root", group: "vmail", mode: 0o775),
    Directory(path: "/sieve", owner: "vmail", group: "vmail", mode: 0o770),
    Directory(path: "/dkim", owner: "_rspamd", group: "_rspamd", mode: 0o750),
  ]

  func make() throws(Failure) {
    for directory in Self.directories {
      guard let owner = getpwnam(directory.owner)?.pointee.pw_uid,
        let group = getgrnam(directory.group)?.pointee.gr_gid
      else { continue }
      let path = root + directory.path
      guard mkdir(path, 0o700) == 0 || errno == EEXIST, chown(path, owner, group) == 0,
        chmod(path, directory.mode) == 0
      else { throw .system("\(directory.path) of the new vault: \(errnoText())") }
    }
  }
}
