/// What a snapshot is made of, in the order in which people look for it.
public enum SnapshotPart: String, CaseIterable, Sendable {
  case accounts, keys, sieve, settings

  public var meaning: String {
    switch self {
    case .accounts: "accounts"
    case .keys: "keys that mail is signed with"
    case .sieve: "filters of the users"
    case .settings: "settings"
    }
  }
}

/// One file of a snapshot, as its manifest has it.
public struct SnapshotEntry: Codable, Equatable, Sendable {
  public enum Kind: String, Codable, Sendable {
    case file, directory, link
  }

  /// In the snapshot: `keys/example.org.202611.key`.
  public var name: String
  /// Where it was on the host.
  public var path: String
  public var kind: Kind
  public var size: Int
  /// Of its bytes, hexadecimal; empty: it has none.
  public var sha256: String
  /// Of a link.
  public var target: String
  public var mode: UInt32
  public var owner: String
  public var group: String
  /// When its bytes were last changed, RFC 3339.
  public var modified: String

  public init(
    name: String, path: String, kind: Kind, bytes: [UInt8] = [], target: String = "", attributes: Generation.Attributes,
    modified: String
  ) {
    self.name = name
    self.path = path
    self.kind = kind
    size = bytes.count
    sha256 = kind == .file ? hexadecimal(MailHost.sha256(bytes)) : ""
    self.target = target
    mode = attributes.mode
    owner = attributes.owner
    group = attributes.group
    self.modified = modified
  }

  public var attributes: Generation.Attributes { Generation.Attributes(mode: mode, owner: owner, group: group) }

  public var part: SnapshotPart? {
    SnapshotPart(rawValue: String(name.prefix { $0 != "/" }))
  }

  /// Whether these are its bytes.
  public func matches(_ bytes: [UInt8]) -> Bool {
    bytes.count == size && hexadecimal(MailHost.sha256(bytes)) == sha256
  }
}
