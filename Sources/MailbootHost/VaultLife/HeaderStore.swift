import CLinux
import Glibc
import JSON
import Linux
import MailbootCore

/// Where backups of headers lie, and what is noted of them: outside of every vault, for root alone.
public struct HeaderStore: Sendable {
  public let path: String

  public init(path: String = "/var/lib/mailboot/headers") { self.path = path }

  /// What is noted before a header is restored, for the run after a cut.
  public struct RestoreMark: Codable, Equatable, Sendable {
    public var uuid: String
    /// The backup.
    public var file: String
    /// Where it goes.
    public var target: String
    /// The name by which that was found, the configuration's or of whoever began: it may be another path after a reboot.
    public var device: String?
    /// What was there before.
    public var copy: String
    /// Seconds since 1970.
    public var at: Double

    func isOnto(_ target: String, known device: String?) -> Bool {
      self.target == target || device != nil && self.device == device
    }
  }

  /// Makes the directory, 0700, and refuses one that is not root's.
  func prepare() throws(Failure) {
    var made = ""
    for part in path.split(separator: "/") {
      made += "/\(part)"
      mkdir(made, made == path ? 0o700 : 0o755)
    }
    var status = stat()
    guard lstat(path, &status) == 0, mb_s_isdir(status.st_mode) != 0, status.st_uid == geteuid(),
      status.st_mode & 0o022 == 0
    else { throw .system("\(path) cannot be used: it must be a directory of root's that nobody else may write to") }
    chmod(path, 0o700)
    for name in listDirectory(path) ?? [] where name.hasSuffix(".new") {
      guard let pid = name.split(separator: ".").dropLast().last.flatMap({ Int32($0) }) else { continue }
      if kill(pid, 0) != 0 && errno == ESRCH { unlink("\(path)/\(name)") }
    }
  }

  // MARK: The last backup

  /// What is known of the last backup of a vault; nil: nothing, or the file has vanished.
  public func record(_ vault: String) -> HeaderBackupRecord? {
    guard let record = read("\(vault).json", HeaderBackupRecord.self), fileStatus(record.path) != nil else {
      return nil
    }
    return record
  }

  /// The vault whose last backup a file is; nil: none is known of which it is that.
  func owner(of file: String) -> String? {
    let records = (listDirectory(path) ?? []).filter { $0.hasSuffix(".json") }.lazy
      .compactMap { read($0, HeaderBackupRecord.self) }
    return records.first { $0.path == file }?.uuid
  }

  /// Whether the header could be put back as it is.
  public func state(_ vault: String, fingerprint: String) -> HeaderBackupState {
    HeaderBackupState(record(vault), fingerprint: fingerprint)
  }

  func store(_ record: HeaderBackupRecord) throws(Failure) { try write("\(record.uuid).json", record) }

  // MARK: A restore that goes on, or was cut off

  public func interruptedRestore(_ vault: String) -> RestoreMark? { read("\(vault).restoring", RestoreMark.self) }

  /// Of whatever vault, onto this device.
  public func interruptedRestore(onto target: String, known device: String?) -> RestoreMark? {
    (listDirectory(path) ?? []).filter { $0.hasSuffix(".restoring") }.lazy
      .compactMap { read($0, RestoreMark.self) }.first { $0.isOnto(target, known: device) }
  }

  func store(_ mark: RestoreMark) throws(Failure) { try write("\(mark.uuid).restoring", mark) }

  func removeMark(_ vault: String) {
    unlink("\(path)/\(vault).restoring")
    try? settleNames(in: path)
  }

  // MARK: -

  private func read<Value: Decodable>(_ name: String, _ type: Value.Type) -> Value? {
    guard let bytes = readSmallFile("\(path)/\(name)", flags: O_NOFOLLOW), let json = JSONText(parsing: bytes) else {
      return nil
    }
    return try? json.decoded(as: type)
  }

  private func write(_ name: String, _ value: some Encodable) throws(Failure) {
    try prepare()
    do {
      let bytes = Array((try JSONText(encoding: value).rendered() + "\n").utf8)
      try replaceFile("\(path)/\(name)", with: bytes, temporary: "\(path)/\(name).\(getpid()).new", durable: true)
    } catch {
      throw .system("\(path)/\(name): \(error)")
    }
    try settleNames(in: path)
  }
}
