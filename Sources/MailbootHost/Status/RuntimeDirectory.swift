import CLinux
import Glibc
import JSON
import Linux
import MailbootCore
import Systemd

/// `/run/mailboot`: the lock of a run, and what the last run found.
public struct RuntimeDirectory: Sendable {
  public let path: String

  public init(path: String = "/run/mailboot") {
    self.path = path
  }

  private var lockPath: String { path + "/lock" }
  private var statePath: String { path + "/state.json" }
  private var serviceRecordPath: String { path + "/service.json" }
  private var serviceLockPath: String { path + "/service.lock" }

  /// Makes the directory (root's, 0755) if it is missing, and refuses one that is not root's.
  func prepare() throws(Failure) {
    if mkdir(path, 0o755) == 0 {
      chmod(path, 0o755)
      return
    }
    var status = stat()
    guard lstat(path, &status) == 0, mb_s_isdir(status.st_mode) != 0, status.st_uid == geteuid(),
      status.st_mode & 0o022 == 0
    else { throw .system("\(path) cannot be used: it must be a directory of root's that nobody else may write to") }
  }

  // MARK: The service in wait mode

  /// Takes the lock that says that the service runs; it is held until the process ends.
  /// - Returns: whether it could be taken; false: another one runs.
  func lockForWaitService() throws(Failure) -> Bool {
    try prepare()
    let descriptor = mb_open(serviceLockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .system("\(serviceLockPath): \(errnoText())") }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
    let code = errno
    close(descriptor)
    guard code == EWOULDBLOCK else { throw .system("\(serviceLockPath): \(errnoText(code))") }
    return false
  }

  /// Whether the service in wait mode runs.
  public func waitServiceRuns() -> Bool { isLocked(serviceLockPath) }

  /// What the service last noted, if it can be read.
  public func waitServiceRecord() -> WaitServiceRecord? {
    guard let bytes = readSmallFile(serviceRecordPath, flags: O_NOFOLLOW) else { return nil }
    return JSONText(parsing: bytes).flatMap(WaitServiceRecord.init(json:))
  }

  func store(_ record: WaitServiceRecord) throws(Failure) { try replace(serviceRecordPath, with: record.json()) }

  // MARK: The runs

  /// Takes the lock, or says who has it, and holds it during `body`.
  public func withLock<Result>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    try prepare()
    // 0600: whoever may open it could hold it, and nobody could unlock.
    let descriptor = mb_open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .system("\(lockPath): \(errnoText())") }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      guard code == EWOULDBLOCK else { throw .system("\(lockPath): \(errnoText(code))") }
      throw .busy(record()?.busy)
    }
    removeLeftovers()
    return try body()
  }

  /// Takes away the halves of files that killed runs were writing.
  private func removeLeftovers() {
    for name in listDirectory(path) ?? [] where name.hasSuffix(".new") {
      guard let pid = name.split(separator: ".").dropLast().last.flatMap({ Int32($0) }) else { continue }
      if kill(pid, 0) != 0 && errno == ESRCH { unlink("\(path)/\(name)") }
    }
  }

  /// Whether a run holds the lock now; seen in `/proc/locks`, which needs no privilege and disturbs nobody.
  public func isLocked() -> Bool { isLocked(lockPath) }

  private func isLocked(_ path: String) -> Bool {
    guard let status = fileStatus(path), let locks = Self.locks() else { return false }
    return Self.holds(flock: UInt64(status.st_ino), device: status.st_dev, in: locks)
  }

  /// The process that holds the lock now.
  func lockHolder() -> Int32? {
    guard let status = fileStatus(lockPath), let locks = Self.locks() else { return nil }
    return Self.holder(flock: UInt64(status.st_ino), device: status.st_dev, in: locks)
  }

  /// Every lock of the machine: on a busy mail host there are many.
  private static func locks() -> String? {
    readSmallFile("/proc/locks", limit: 64 << 20).map { String(decoding: $0, as: UTF8.self) }
  }

  static func holds(flock inode: UInt64, device: dev_t, in locks: String) -> Bool {
    holder(flock: inode, device: device, in: locks) != nil
  }

  /// `1: FLOCK  ADVISORY  WRITE 1234 00:19:563 0 EOF`; a waiting one has `->` before its kind.
  static func holder(flock inode: UInt64, device: dev_t, in locks: String) -> Int32? {
    func hex(_ number: UInt32) -> String { (number < 16 ? "0" : "") + String(number, radix: 16) }
    let place = "\(hex(mb_major(device))):\(hex(mb_minor(device))):\(inode)"
    for line in locks.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count > 5, fields[1] == "FLOCK", fields[5] == place { return Int32(fields[4]) ?? 0 }
    }
    return nil
  }

  /// What the last run left, if it can be read.
  public func record() -> LastResults? {
    guard let bytes = readSmallFile(statePath, flags: O_NOFOLLOW) else { return nil }
    return JSONText(parsing: bytes).flatMap(LastResults.init(json:))
  }

  /// Replaces the record in one step, readable by all.
  public func store(_ record: LastResults) throws(Failure) { try replace(statePath, with: record.json()) }

  private func replace(_ path: String, with json: JSONText) throws(Failure) {
    try prepare()
    do {
      // An emergency writes beside the run that it ends: neither is to rename what the other has only begun.
      try replaceFile(path, with: Array((json.rendered() + "\n").utf8), temporary: "\(path).\(getpid()).new")
    } catch {
      throw Failure(error)
    }
  }
}
