/// Checks that one look at the machine answers together.
public enum CheckGroup: String, CaseIterable, Codable, Sendable {
  /// Is the mounted file system the one in our vault.
  case mount
  case freeSpace = "free-space"
  case database
  /// Needs the domains that the database check has read.
  case dkim
  /// Certificate, its expiry and names.
  case certificate
  case postfix, dovecot, rspamd
  /// Asks each real map for what the database check has read.
  case maps

  public var checks: [CheckName] {
    switch self {
    case .mount: [.mount]
    case .freeSpace: [.freeSpace]
    case .database: [.database]
    case .dkim: [.dkim]
    case .certificate: [.certificate, .certificateExpiry, .certificateNames]
    case .postfix: [.postfix]
    case .dovecot: [.dovecot]
    case .rspamd: [.rspamd]
    case .maps: [.maps]
    }
  }

  /// Groups that must have been looked at before.
  public var after: [CheckGroup] {
    switch self {
    case .dkim, .maps: [.database]
    default: []
    }
  }

  /// Whether it looks at `/etc` alone, and so may begin before the vault is open.
  public var isOutsideVault: Bool { self == .rspamd || self == .dovecot || self == .certificate }

  /// Whether the services' own tools answer: slow, and therefore allowed to run while the services behind the door start. What they say
  /// of keys is of no consequence before the door opens either.
  public var isTool: Bool {
    switch self {
    case .postfix, .dovecot, .rspamd, .maps, .dkim: true
    default: false
    }
  }
}
