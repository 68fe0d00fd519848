import JSON
import Text

/// What is noted of the last backup of a header, beside the backups.
public struct HeaderBackupRecord: Codable, Equatable, Sendable {
  public var uuid: String
  /// Where the backup was written to.
  public var path: String
  /// Seconds since 1970.
  public var at: Double
  /// Of the keyslots that it has.
  public var fingerprint: String
  /// Of the file's bytes, hexadecimal.
  public var sha256: String

  public init(uuid: String, path: String, at: Double, fingerprint: String, sha256: String) {
    self.uuid = uuid
    self.path = path
    self.at = at
    self.fingerprint = fingerprint
    self.sha256 = sha256
  }
}

/// Whether the header could be put back as it is now.
public struct HeaderBackupState: Codable, Equatable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// No backup is known, or it is where it was no more.
    case none
    /// Keys have changed since.
    case older
    case current
  }
  public var state: Kind
  public var path: String?
  /// Seconds since 1970.
  public var at: Double?

  public init(state: Kind, path: String? = nil, at: Double? = nil) {
    self.state = state
    self.path = path
    self.at = at
  }

  /// - Parameters:
  ///   - record: nil when there is none, or its file has vanished.
  ///   - fingerprint: of the header as it is now.
  public init(_ record: HeaderBackupRecord?, fingerprint: String) {
    guard let record else {
      self.init(state: .none)
      return
    }
    self.init(state: record.fingerprint == fingerprint ? .current : .older, path: record.path, at: record.at)
  }

  /// What is wrong with it, in a line; nil when nothing is.
  public var complaint: String? {
    switch state {
    case .current: nil
    case .none: "no backup of the vault's header is known: `mailboot vault backup-header`"
    case .older:
      "the header's backup\(at.map { " (\(timestamp($0)))" } ?? "") is older than its keys: `mailboot vault backup-header`"
    }
  }

  func json() -> JSONText {
    .object([
      ("state", .string(state.rawValue)), ("path", .optional(path)),
      ("at", at.map { .string(timestamp($0)) } ?? .null),
    ])
  }
}
