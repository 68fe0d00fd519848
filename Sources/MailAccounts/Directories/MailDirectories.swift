import CLinux
import Glibc
import Linux

/// The directories of domains: mail in the spool, and dovecot's and users' filters.
public struct MailDirectories: Sendable {
  private let spool: String
  private let sieve: String
  private let owner: String
  private let group: String

  /// Mode of a domain's directory: dovecot delivers as the mail user.
  static let mode: mode_t = 0o770

  public init(spool: String, sieve: String, owner: String = "vmail", group: String = "vmail") {
    self.spool = spool
    self.sieve = sieve
    self.owner = owner
    self.group = group
  }

  /// Makes the domain's directories where their parents exist.
  /// - Returns: what could not be made, a sentence each.
  public func make(domain: String) -> [String] {
    [spool, sieve].compactMap { parent in
      do throws(DirectoryFailure) {
        try make(domain, in: parent)
        return nil
      } catch {
        return "\(parent)/\(domain) was not made: \(error.reason)"
      }
    }
  }

  /// Moves a user's mail out of dovecot's sight, into `SPOOL/.removed/TIME/…`.
  /// - Returns: where it is now; nil if there was none.
  public func setAside(email: String, time: String) throws(AccountError) -> String? {
    let domain = domainPart(email)
    return try setAside([domain, String(email.dropLast(domain.count + 1))], time)
  }

  /// Moves all mail of a domain out of dovecot's sight, into `SPOOL/.removed/TIME/…`.
  /// - Returns: where it is now; nil if there was none.
  public func setAside(domain: String, time: String) throws(AccountError) -> String? {
    try setAside([domain], time)
  }

  private func make(_ name: String, in parent: String) throws(DirectoryFailure) {
    guard isSafe(name) else { throw DirectoryFailure(reason: "that is no name for a directory") }
    let directory = try OpenDirectory(parent)
    guard let user = getpwnam(owner)?.pointee.pw_uid, let group = getgrnam(group)?.pointee.gr_gid else {
      throw DirectoryFailure(reason: "there is no user \(owner) or no group \(group)")
    }
    let isNew = try directory.make(name, mode: 0o700)
    // Through its descriptor: the parent may be writable for the mail user, who could have put a link there meanwhile.
    let made = try directory.open(name)
    // What an interruption leaves is root's alone: nobody could deliver into it.
    guard isNew || made.isOnlyOurs else { return }
    try made.give(to: user, group, mode: Self.mode)
  }

  private func setAside(_ names: [String], _ time: String) throws(AccountError) -> String? {
    let place = ([spool] + names).joined(separator: "/")
    guard names.allSatisfy(isSafe), isSafe(time) else { throw .invalid("\(place) is no path of a mailbox") }
    do throws(DirectoryFailure) {
      let root = try OpenDirectory(spool)
      var source = root
      for name in names.dropLast() {
        guard source.has(name) else { return nil }
        source = try source.open(name)
      }
      guard let last = names.last, source.has(last) else { return nil }
      var target = root
      // Root's alone: the mail user is not to look at it or to put anything there.
      for name in [".removed", time] + names.dropLast() {
        _ = try target.make(name, mode: 0o700)
        target = try target.open(name)
        guard target.isOnlyOurs else {
          throw DirectoryFailure(
            reason: "\(name) is there already, and not for \(geteuid() == 0 ? "root" : "this user") alone")
        }
      }
      try source.move(last, to: target)
      return ([spool, ".removed", time] + names).joined(separator: "/")
    } catch {
      throw .invalid("\(place) was not moved aside: \(error.reason)")
    }
  }

  /// One component below its parent, and nothing special.
  private func isSafe(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
  }
}

struct DirectoryFailure: Error {
  var reason: String
}

/// A directory that was opened without following a link in its last component.
private final class OpenDirectory {
  private let descriptor: Int32

  convenience init(_ path: String) throws(DirectoryFailure) {
    try self.init(at: AT_FDCWD, path)
  }

  private init(at parent: Int32, _ name: String) throws(DirectoryFailure) {
    descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw DirectoryFailure(reason: "\(name): \(errnoText())") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func open(_ name: String) throws(DirectoryFailure) -> OpenDirectory { try OpenDirectory(at: descriptor, name) }

  func has(_ name: String) -> Bool {
    var status = stat()
    return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether nobody else may look at it or change it.
  var isOnlyOurs: Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_uid == geteuid() && status.st_mode & 0o077 == 0
  }

  /// False when it was there.
  func make(_ name: String, mode: mode_t) throws(DirectoryFailure) -> Bool {
    if mkdirat(descriptor, name, mode) == 0 { return true }
    guard errno == EEXIST else { throw DirectoryFailure(reason: "\(name): \(errnoText())") }
    return false
  }

  func give(to user: uid_t, _ group: gid_t, mode: mode_t) throws(DirectoryFailure) {
    guard fchown(descriptor, user, group) == 0, fchmod(descriptor, mode) == 0 else {
      throw DirectoryFailure(reason: errnoText())
    }
  }

  func move(_ name: String, to target: OpenDirectory) throws(DirectoryFailure) {
    guard renameat(descriptor, name, target.descriptor, name) == 0 else {
      throw DirectoryFailure(reason: errnoText())
    }
  }
}
