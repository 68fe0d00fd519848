/// A step by its place in the run; its name is what reports and metrics show.
public enum Step: Codable, Hashable, Sendable {
  case open
  case mount
  /// Index into `Configuration.binds`.
  case bind(Int, to: String)
  case check(CheckGroup)
  /// Start the units of what takes mail from the world, and hold them before they listen.
  case prepare(String)
  /// Start a service and wait until it answers.
  case service(String)
  /// Look who uses the vault, and end them if that was asked for.
  case users
  /// Stop a service and the units that do its work.
  case stop(String)
  case stopAll
  case unmount(String)
  /// Close the vault: what it is called.
  case close(String)
  /// Take the key out of memory.
  case revoke

  public var name: String {
    switch self {
    case .open: "open"
    case .mount: "mount"
    case .bind(_, let to): "bind \(to)"
    case .check(let group): "check \(group.rawValue)"
    case .prepare(let name): "prepare \(name)"
    case .service(let name): name
    case .users: "users of the vault"
    case .stop(let name): "stop \(name)"
    case .stopAll: "stop services"
    case .unmount(let path): "unmount \(path)"
    case .close(let name): "close \(name)"
    case .revoke: "revoke key"
    }
  }
}

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

  /// Whether the services' own tools answer: slow, and therefore allowed to run while the services behind the door start.
  public var isTool: Bool {
    switch self {
    case .postfix, .dovecot, .rspamd, .maps: true
    default: false
    }
  }
}

/// What happens while a run goes on, for whoever shows it.
public enum Progress: Codable, Equatable, Sendable {
  case began(Step)
  case ended(Step, StepOutcome, seconds: Double, detail: String?)
  case failed(Step, seconds: Double)
  /// The passphrase opened nothing, or was empty and not tried; another one may follow.
  case refused(empty: Bool)
  case checked(CheckGroup, [CheckRecord], seconds: Double)
  case undoing
  /// A step taken back: its name, and what went wrong if it did.
  case undone(String, trouble: String?)
  /// Something whoever watches should know, in a sentence.
  case note(String)
}
