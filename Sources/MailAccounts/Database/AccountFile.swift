import CLinux
import Glibc
import Linux

/// The database's file, as far as it concerns us before SQLite opens it.
struct AccountFile {
  /// Whose it is to be when it is new.
  static let mode: mode_t = 0o640

  /// Absolute, with every directory resolved; the file itself is no symbolic link.
  let path: String
  /// Nil: there is none yet.
  let size: Int?

  /// Looks at the file, and at the beginning of its contents. Our descriptor is closed before SQLite opens one: closing it later
  /// would drop SQLite's locks.
  init(_ given: String) throws(AccountError) {
    path = try Self.resolved(given)
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT: size = nil
      case ELOOP: throw .database(.symbolicLink, path: path)
      default: throw .database(.opening(errno), path: path)
      }
      return
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .database(.other("it is not a regular file"), path: path)
    }
    size = Int(status.st_size)
    guard status.st_size > 0 else { return }
    var header = [UInt8](repeating: 0, count: 100)
    let count = header.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard count == 100, header.starts(with: Array("SQLite format 3\u{0}".utf8)) else {
      throw .database(.notADatabase, path: path)
    }
    // https://www.sqlite.org/fileformat2.html#file_format_version_numbers. Opening a WAL database makes files beside it even for readers.
    if header[18] == 2 || header[19] == 2 { throw .database(.journalModeWAL, path: path) }
  }

  /// Makes it, empty, with its owner and mode. One of 0 bytes counts as new, whoever has left it: it gets them, too.
  func create(owner: String, group wanted: String) throws(AccountError) {
    var isOurs = true
    var descriptor = mb_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    if descriptor < 0, errno == EEXIST {
      isOurs = false
      descriptor = mb_open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    }
    guard descriptor >= 0 else { throw .database(.opening(errno), path: path) }
    defer { close(descriptor) }
    // Another process may have been faster: then it has its owner, and there are tables in it.
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size == 0 else { return }
    if geteuid() == 0 {
      // Numbers are of a system that is not this one, as while an image is made.
      let user = uid_t(owner) ?? getpwnam(owner)?.pointee.pw_uid
      if let user, let group = gid_t(wanted) ?? getgrnam(wanted)?.pointee.gr_gid {
        guard fchown(descriptor, user, group) == 0 else { throw .database(.other(errnoText()), path: path) }
      } else if isOurs {
        unlink(path)
        throw .database(.noOwner(user: owner, group: wanted), path: path)
      }
    }
    // Of somebody else's file only its owner can change the mode.
    guard fchmod(descriptor, Self.mode) == 0 || !isOurs else { throw .database(.other(errnoText()), path: path) }
  }

  private static func resolved(_ given: String) throws(AccountError) -> String {
    let slash = given.lastIndex(of: "/")
    let directory = parentDirectory(of: given)
    let name = slash.map { String(given[given.index(after: $0)...]) } ?? given
    guard !name.isEmpty, name != ".", name != ".." else { throw .database(.other("it is a directory"), path: given) }
    guard let real = realpath(directory, nil) else {
      throw .database(errno == ENOENT ? .noDirectory(directory) : .opening(errno), path: given)
    }
    defer { free(real) }
    let parent = String(cString: real)
    return parent == "/" ? "/\(name)" : "\(parent)/\(name)"
  }
}

extension DatabaseProblem {
  /// What an errno of opening the file means.
  static func opening(_ code: Int32) -> DatabaseProblem {
    switch code {
    case EACCES, EPERM: .notPermitted
    case EROFS: .readOnly
    case ENOSPC, EDQUOT: .full
    default: .other(errnoText(code))
    }
  }
}
