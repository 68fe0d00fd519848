import AgeFile
import CLinux
import Console
import Glibc
import Linux
import MailHost
import SecretMemory
import Text

/// Who can open a snapshot that is made.
enum SnapshotLock: ~Copyable {
  case recipients([AgeRecipient])
  case passphrase(SecretBytes)
}

/// A snapshot in a file, encrypted as age(1) does it.
struct SnapshotFile {
  let path: String

  private static let magic = "age-encryption.org/v1\n"

  /// Whether one can be written there, before anybody types a passphrase.
  /// - Throws: when something is there that is not to be replaced, or the directory is not.
  func requireRoom(replacing: Bool) throws(HostFailure) {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      guard errno == ENOENT, fileStatus(parentDirectory(of: path)) != nil else {
        throw HostFailure(.failed, "\(path): \(errnoText())", hint: "nothing was written")
      }
      return
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw HostFailure(.failed, "\(path) is there, and no plain file; nothing was written")
    }
    guard replacing else {
      throw HostFailure(
        .failed, "\(path) is there already; nothing was written",
        hint: "`--replace` replaces it once the new one is whole; a directory in its place gets a new file each time")
    }
    guard beginsAsOurs else {
      throw HostFailure(.failed, "\(path) is no encrypted file of age: it is not replaced; nothing was written")
    }
  }

  private var beginsAsOurs: Bool {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var start = [UInt8](repeating: 0, count: Self.magic.utf8.count)
    let count = start.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    return count == start.count && start.elementsEqual(Self.magic.utf8)
  }

  /// Writes it under its name only when it is whole and on the disk.
  /// - Returns: its size.
  func write(_ snapshot: Snapshot, for lock: consuming SnapshotLock, replacing: Bool) throws(HostFailure) -> Int {
    let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    // What a call that was killed has left goes.
    let temporary = path[..<slash] + ".\(path[slash...]).mailhost"
    unlink(String(temporary))
    let descriptor = mb_open(String(temporary), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { close(descriptor) }
    defer { unlink(String(temporary)) }
    StopPoint.reached("write")
    try Self.write(snapshot, for: lock, to: descriptor, path)
    StopPoint.reached("give")
    let size = lseek(descriptor, 0, SEEK_CUR)
    guard fsync(descriptor) == 0, give(String(temporary), replacing) else { throw failure(errno) }
    do throws(SystemError) {
      try syncDirectory(parentDirectory(of: path))
    } catch {
      throw failure(error.code)
    }
    return Int(size)
  }

  private func give(_ temporary: String, _ replacing: Bool) -> Bool {
    if !replacing {
      if link(temporary, path) == 0 { return true }
      // File systems without hard links, as on sticks.
      guard [EPERM, ENOTSUP, ENOSYS, EMLINK].contains(errno) else { return false }
      var status = stat()
      guard lstat(path, &status) != 0 else {
        errno = EEXIST
        return false
      }
    }
    return rename(temporary, path) == 0
  }

  private func failure(_ code: Int32) -> HostFailure {
    HostFailure(
      .failed, "\(path) was not written: \(errnoText(code))",
      hint: code == ENOSPC || code == EDQUOT ? "make room on that disk, then call again" : nil)
  }

  static func write(
    _ snapshot: Snapshot, for lock: consuming SnapshotLock, to descriptor: Int32, _ name: String
  ) throws(HostFailure) {
    do throws(AgeError) {
      switch consume lock {
      case .recipients(let recipients):
        try fill(snapshot, try AgeWriter(to: descriptor, recipients: recipients))
      case .passphrase(let passphrase):
        try fill(snapshot, try AgeWriter(to: descriptor, passphrase: passphrase, workFactor: affordableWorkFactor()))
      }
    } catch .output(let error) {
      throw HostFailure(
        .failed, "\(name) was not written: \(error.text)",
        hint: error.code == ENOSPC || error.code == EDQUOT ? "make room on that disk, then call again" : nil)
    } catch {
      throw HostFailure(.failed, "\(name) was not written: \(error)")
    }
  }

  private static func fill(_ snapshot: Snapshot, _ writer: consuming AgeWriter) throws(AgeError) {
    var writer = writer
    try snapshot.write { (bytes) throws(AgeError) in try writer.write(bytes) }
    try writer.finish()
  }

  /// What age(1) takes, 256 MiB; less where the mail services would have to make room for it.
  private static func affordableWorkFactor() -> Int {
    let kibibytes = availableKibibytes() ?? (1 << 20)
    return (15...18).last { 1 << $0 <= kibibytes / 2 } ?? 15
  }

  private static func availableKibibytes() -> Int? {
    let line = (readSmallText("/proc/meminfo") ?? "").split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    return line.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) }
  }

  // MARK: Reading

  /// Decrypts all of it, and holds it against its manifest.
  /// - Parameter identity: a file with secret keys.
  func read(identity: String?, fromStandardInput: Bool) throws(HostFailure) -> Snapshot {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0)
    guard descriptor >= 0 else { throw HostFailure(.failed, "\(path): \(errnoText())") }
    defer { close(descriptor) }
    do {
      let sealed = try SealedAgeFile(from: descriptor)
      guard sealed.takesPassphrase else {
        return try contents(try sealed.opened(try AgeIdentities(file: try keys(identity))))
      }
      guard identity == nil else {
        throw HostFailure(
          .usage, "\(path) was encrypted with a passphrase, not for a key", hint: "leave --identity out")
      }
      let memory = Self.availableKibibytes().map { $0 << 10 } ?? .max
      let question = PassphraseQuestion(fromStandardInput: fromStandardInput)
      for _ in 0..<(fromStandardInput ? 0 : 2) {
        do {
          return try contents(try sealed.opened(passphrase: try question.passphrase(), memory: memory))
        } catch AgeError.noMatch {
          tell("that is not its passphrase")
        }
      }
      return try contents(try sealed.opened(passphrase: try question.passphrase(), memory: memory))
    } catch let error as HostFailure {
      throw error
    } catch let error as AgeError {
      throw failure(error)
    } catch {
      throw HostFailure(.failed, "\(path): \(error)")
    }
  }

  private func contents(_ reader: consuming AgeReader) throws -> Snapshot {
    var archive = TarReader(limit: Snapshot.limit)
    do {
      while true {
        let piece = try reader.next()
        if piece.isEmpty { break }
        try archive.take(piece)
      }
      try archive.finish()
      return try Snapshot(archive.members)
    } catch let fault as SnapshotFault {
      throw HostFailure(.failed, "\(path): \(visible(fault.text))", hint: "nothing was changed")
    }
  }

  private func keys(_ file: String?) throws(HostFailure) -> SecretBytes {
    guard let file else {
      throw HostFailure(
        .usage, "\(path) was encrypted for a key", hint: "--identity FILE: the file that age-keygen has made")
    }
    let descriptor = mb_open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0)
    guard descriptor >= 0 else { throw HostFailure(.failed, "\(file): \(errnoText())") }
    defer { close(descriptor) }
    do throws(SecretReadError) {
      return try readSecret(from: descriptor, limit: 65536, dropTrailingNewline: false)
    } catch {
      throw HostFailure(.failed, "\(file): \(error)")
    }
  }

  private func failure(_ error: AgeError) -> HostFailure {
    switch error {
    case .noMatch:
      HostFailure(
        .failed, "\(path): \(error)", hint: "a file that was altered in its first lines looks like that, too")
    case .altered, .alteredHeader, .cutShort, .trailing, .header:
      HostFailure(.failed, "\(path): \(error)", hint: "use another copy of it, or an earlier one")
    case .noMemory:
      HostFailure(
        .failed, "\(path): \(error)",
        hint: "`mailhost verify-snapshot` or `age -d` opens it on a computer with more; or it is none of yours")
    default: HostFailure(.failed, "\(path): \(error)")
    }
  }
}
