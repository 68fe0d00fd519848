import CLinux
import Glibc
import Linux
import MailHost

/// The host's file system: this one, or another system's below a directory.
struct HostRoot {
  /// Empty: this host. Else a directory, without a slash at its end.
  let prefix: String

  var isHere: Bool { prefix.isEmpty }

  func path(_ path: String) -> String { prefix + path }

  /// A path of the system that runs this, as the host itself has it.
  func inside(_ path: String) -> String {
    !isHere && path.hasPrefix(prefix + "/") ? String(path.dropFirst(prefix.count)) : path
  }

  /// A file as it is.
  struct Stored: Equatable {
    var bytes: [UInt8]
    var attributes: Generation.Attributes

    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  /// What is at a path; nil when nothing is.
  /// - Throws: when it cannot be read, or is no plain file.
  func read(_ path: String) throws(SystemError) -> Stored? {
    let directory: Int32
    do throws(SystemError) {
      directory = try open(directoryOf: path)
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
    defer { close(directory) }
    let descriptor = mb_openat(directory, name(of: path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw SystemError("\(path): \(errno == ELOOP ? "is a symbolic link" : errnoText())", code: errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, mb_s_isreg(status.st_mode) != 0 else {
      throw SystemError("\(path) is no plain file", code: EINVAL)
    }
    guard let bytes = readToEnd(descriptor, limit: 1 << 20) else {
      throw SystemError("\(path): \(errnoText())", code: errno)
    }
    return Stored(bytes: bytes, attributes: attributes(of: status))
  }

  /// Writes a file whole, under its name only when it is: another program sees the old one or the new one. Missing directories above it
  /// are made.
  func write(
    _ path: String, _ bytes: [UInt8], _ attributes: Generation.Attributes
  ) throws(SystemError) {
    let directory = try open(directoryOf: path, making: true)
    defer { close(directory) }
    let name = name(of: path)
    let temporary = ".\(name).mailhost"
    unlinkat(directory, temporary, 0)
    let descriptor = mb_openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw SystemError("\(path): \(errnoText())", code: errno) }
    defer { close(descriptor) }
    let owners = try owners(attributes)
    guard writeAll(bytes, to: descriptor), fchown(descriptor, owners.user, owners.group) == 0,
      fchmod(descriptor, mode_t(attributes.mode)) == 0, fsync(descriptor) == 0,
      renameat(directory, temporary, directory, name) == 0
    else {
      let code = errno
      unlinkat(directory, temporary, 0)
      throw SystemError("\(path): \(errnoText(code))", code: code)
    }
  }

  /// Removes a file; one that is not there is no error.
  func remove(_ path: String) throws(SystemError) {
    let directory: Int32
    do throws(SystemError) {
      directory = try open(directoryOf: path)
    } catch {
      if error.code == ENOENT { return }
      throw error
    }
    defer { close(directory) }
    guard unlinkat(directory, name(of: path), 0) == 0 || errno == ENOENT else {
      throw SystemError("\(path): \(errnoText())", code: errno)
    }
  }

  /// How a directory is; nil when it is not there, or is something else.
  func directory(_ path: String) -> Generation.Attributes? {
    var status = stat()
    guard lstat(self.path(path), &status) == 0, mb_s_isdir(status.st_mode) != 0 else { return nil }
    return attributes(of: status)
  }

  /// Makes a directory, or makes it as it is to be.
  func make(_ wanted: HostDirectory) throws(SystemError) {
    let parent = try open(directoryOf: wanted.path, making: true)
    defer { close(parent) }
    let name = name(of: wanted.path)
    if mkdirat(parent, name, 0o700) != 0, errno != EEXIST {
      throw SystemError("\(wanted.path): \(errnoText())", code: errno)
    }
    let descriptor = mb_openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0)
    guard descriptor >= 0 else { throw SystemError("\(wanted.path): \(errnoText())", code: errno) }
    defer { close(descriptor) }
    let owners = try owners(
      Generation.Attributes(mode: wanted.mode, owner: wanted.owner, group: wanted.group))
    guard fchown(descriptor, owners.user, owners.group) == 0, fchmod(descriptor, mode_t(wanted.mode)) == 0 else {
      throw SystemError("\(wanted.path): \(errnoText())", code: errno)
    }
  }

  /// Waits until everything written to the file system of a path is on the disk.
  func sync(_ path: String) throws(SystemError) {
    let descriptor = mb_open(self.path(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw SystemError("\(path): \(errnoText())", code: errno) }
    defer { close(descriptor) }
    guard mb_syncfs(descriptor) == 0 else { throw SystemError("\(path): \(errnoText())", code: errno) }
  }

  func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "" }

  /// Opens the directory that a path is in, through no symbolic link: in the vault directories belong to users that are not root.
  func open(directoryOf path: String, making: Bool = false) throws(SystemError) -> Int32 {
    var descriptor = mb_open(isHere ? "/" : prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw SystemError("\(prefix)/: \(errnoText())", code: errno) }
    var walked = ""
    for name in path.split(separator: "/").dropLast().map(String.init) {
      walked += "/" + name
      var next = mb_openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0)
      if next < 0, errno == ENOENT, making {
        if mkdirat(descriptor, name, 0o755) == 0 || errno == EEXIST {
          next = mb_openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0)
          // Whatever the umask is.
          if next >= 0 { fchmod(next, 0o755) }
        }
      }
      let code = errno
      close(descriptor)
      guard next >= 0 else {
        let reason = code == ELOOP || code == ENOTDIR ? "is no directory, or a symbolic link" : errnoText(code)
        throw SystemError("\(walked): \(reason)", code: code)
      }
      descriptor = next
    }
    return descriptor
  }

  func attributes(of status: stat) -> Generation.Attributes {
    Generation.Attributes(
      mode: status.st_mode & 0o7777, owner: users.name(status.st_uid), group: users.groupName(status.st_gid))
  }

  func owners(_ attributes: Generation.Attributes) throws(SystemError) -> (user: uid_t, group: gid_t) {
    guard let user = users.number(attributes.owner) else { throw SystemError("there is no user \(attributes.owner)") }
    guard let group = users.groupNumber(attributes.group) else {
      throw SystemError("there is no group \(attributes.group)")
    }
    return (user, group)
  }

  var users: HostUsers { HostUsers(root: self) }
}
