import CLinux
import Glibc
import Linux
import MailHost
import Text

// Files, directories and links of trees that belong to other users than root.
extension HostRoot {
  /// What is at a path; nil when nothing is. A file that is changed while it is read is read again.
  /// - Throws: when it cannot be read, is larger than `limit`, or is none of the three.
  func look(_ path: String, limit: Int = 4 << 20) throws(SystemError) -> PresentEntry? {
    guard let directory = try openIfThere(directoryOf: path) else { return nil }
    defer { close(directory) }
    let name = name(of: path)
    for _ in 0..<5 {
      var status = stat()
      guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        if errno == ENOENT { return nil }
        throw SystemError("\(path): \(errnoText())", code: errno)
      }
      let modified = timestamp(Double(status.st_mtim.tv_sec))
      switch status.st_mode & S_IFMT {
      case S_IFDIR: return PresentEntry(kind: .directory, attributes: attributes(of: status), modified: modified)
      case S_IFLNK:
        guard let target = link(directory, name) else { continue }
        return PresentEntry(kind: .link, target: target, attributes: attributes(of: status), modified: modified)
      case S_IFREG:
        guard let bytes = try stableBytes(directory, name, path, status, limit) else { continue }
        return PresentEntry(kind: .file, bytes: bytes, attributes: attributes(of: status), modified: modified)
      default: throw SystemError("\(path) is no file, directory or link", code: EINVAL)
      }
    }
    throw SystemError("\(path) changes all the time", code: EAGAIN)
  }

  /// What a link of root's own leads to, over other links if need be: the way is no link.
  /// - Throws: when it leads nowhere, or is somebody else's.
  func behind(_ link: PresentEntry, at path: String) throws(SystemError) -> PresentEntry {
    var (there, place) = (link, path)
    for _ in 0..<8 {
      guard there.kind == .link else { return there }
      guard there.attributes.owner == "root" else {
        throw SystemError("\(place) is a link that does not belong to root", code: EPERM)
      }
      var names = there.target.hasPrefix("/") ? [] : Array(place.split(separator: "/").dropLast())
      for name in there.target.split(separator: "/") where name != "." {
        if name == ".." { _ = names.popLast() } else { names.append(name) }
      }
      place = "/" + names.joined(separator: "/")
      guard let next = try look(place) else {
        throw SystemError("\(path) leads to \(place), which is not there", code: ENOENT)
      }
      there = next
    }
    throw SystemError("\(path) leads through too many links", code: ELOOP)
  }

  /// Nil: it was changed meanwhile.
  private func stableBytes(
    _ directory: Int32, _ name: String, _ path: String, _ before: stat, _ limit: Int
  ) throws(SystemError) -> [UInt8]? {
    let descriptor = mb_openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ELOOP { return nil }
      throw SystemError("\(path): \(errnoText())", code: errno)
    }
    defer { close(descriptor) }
    guard let bytes = readToEnd(descriptor, limit: limit) else {
      throw SystemError("\(path): \(errnoText())", code: errno)
    }
    var after = stat()
    guard fstatat(directory, name, &after, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    let isSame =
      after.st_ino == before.st_ino && after.st_dev == before.st_dev && after.st_size == bytes.count
      && after.st_mtim.tv_sec == before.st_mtim.tv_sec && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec
    return isSame ? bytes : nil
  }

  private func link(_ directory: Int32, _ name: String) -> String? {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = bytes.withUnsafeMutableBufferPointer { space in
      space.baseAddress.map { readlinkat(directory, name, UnsafeMutableRawPointer($0), space.count) } ?? -1
    }
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }

  /// Names in a directory, sorted; nil when it is not there. The way to it and itself are no links.
  func names(in path: String) throws(SystemError) -> [String]? {
    guard let descriptor = try openIfThere(directoryOf: path + "/.") else { return nil }
    guard let directory = fdopendir(descriptor) else {
      let code = errno
      close(descriptor)
      throw SystemError("\(path): \(errnoText(code))", code: code)
    }
    defer { closedir(directory) }
    return Linux.names(in: directory)
  }

  private func openIfThere(directoryOf path: String) throws(SystemError) -> Int32? {
    do throws(SystemError) {
      return try open(directoryOf: path)
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
  }

  /// Puts a file or link at a path as it was once, in one step, on the disk before it has its name.
  ///
  /// - Parameters:
  ///   - keepsTime: whether it counts as last changed when it was then; else now.
  ///   - aside: the name that what is there gets, in the same directory; nil: nothing is there, and what comes there meanwhile stays.
  func place(
    _ entry: SnapshotEntry, _ bytes: [UInt8], keepsTime: Bool, at path: String, aside: String?
  ) throws(SystemError) {
    let directory = try open(directoryOf: path, making: true)
    defer { close(directory) }
    let name = name(of: path)
    let temporary = ".\(name).mailhost"
    unlinkat(directory, temporary, 0)
    defer { unlinkat(directory, temporary, 0) }
    func require(_ isDone: Bool) throws(SystemError) {
      if !isDone { throw SystemError("\(path): \(errnoText())", code: errno) }
    }
    let owners = try owners(entry.attributes)
    if entry.kind == .link {
      try require(symlinkat(entry.target, directory, temporary) == 0)
      try require(fchownat(directory, temporary, owners.user, owners.group, AT_SYMLINK_NOFOLLOW) == 0)
    } else {
      let descriptor = mb_openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      try require(descriptor >= 0)
      defer { close(descriptor) }
      try require(writeAll(bytes, to: descriptor))
      try require(fchown(descriptor, owners.user, owners.group) == 0 && fchmod(descriptor, mode_t(entry.mode)) == 0)
      if keepsTime {
        let modified = timespec(tv_sec: Int(secondsSince1970(timestamp: entry.modified) ?? 0), tv_nsec: 0)
        try require(futimens(descriptor, [modified, modified]) == 0)
      }
      try require(fsync(descriptor) == 0)
    }
    StopPoint.reached("place")
    if let aside {
      try require(linkat(directory, name, directory, aside, 0) == 0)
      StopPoint.reached("replace")
      try require(renameat(directory, temporary, directory, name) == 0)
    } else {
      try require(linkat(directory, temporary, directory, name, 0) == 0)
    }
    try require(fsync(directory) == 0)
  }

  /// Owner and mode alone.
  func set(_ attributes: Generation.Attributes, at path: String) throws(SystemError) {
    let directory = try open(directoryOf: path)
    defer { close(directory) }
    let descriptor = mb_openat(directory, name(of: path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else { throw SystemError("\(path): \(errnoText())", code: errno) }
    defer { close(descriptor) }
    let owners = try owners(attributes)
    guard fchown(descriptor, owners.user, owners.group) == 0, fchmod(descriptor, mode_t(attributes.mode)) == 0 else {
      throw SystemError("\(path): \(errnoText())", code: errno)
    }
  }

  /// Gives a file another name in its directory; one that is not there is no error.
  func rename(_ path: String, to name: String) throws(SystemError) {
    guard let directory = try openIfThere(directoryOf: path) else { return }
    defer { close(directory) }
    guard renameat(directory, self.name(of: path), directory, name) == 0 || errno == ENOENT else {
      throw SystemError("\(path): \(errnoText())", code: errno)
    }
  }
}
