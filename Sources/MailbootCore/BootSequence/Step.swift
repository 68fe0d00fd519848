/// A step by its place in the run; its name is what reports and metrics show.
public enum Step: Codable, Hashable, Sendable {
  case open
  case mount
  /// Open a further vault, by its name.
  case openVault(String)
  /// Mount a further vault: its name and where.
  case mountVault(String, on: String)
  /// Index into `Configuration.binds`.
  case bind(Int, to: String)
  /// Make what `mailhost apply` had left for the open vault.
  case fill
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
  /// That of a further vault: what it is called.
  case revokeVault(String)

  public var name: String {
    switch self {
    case .open: "open"
    case .mount: "mount"
    case .openVault(let name): "open \(name)"
    case .mountVault(let name, _): "mount \(name)"
    case .bind(_, let to): "bind \(to)"
    case .fill: "fill"
    case .check(let group): "check \(group.rawValue)"
    case .prepare(let name): "prepare \(name)"
    case .service(let name): name
    case .users: "users of the vault"
    case .stop(let name): "stop \(name)"
    case .stopAll: "stop services"
    case .unmount(let path): "unmount \(path)"
    case .close(let name): "close \(name)"
    case .revoke: "revoke key"
    case .revokeVault(let name): "revoke key of \(name)"
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
  /// A further vault stays closed, and nothing else is held up by that.
  case leftClosed(ClosedVault)
  case checked(CheckGroup, [CheckRecord], seconds: Double)
  case undoing
  /// A step taken back: its name, and what went wrong if it did.
  case undone(String, trouble: String?)
  /// Something whoever watches should know, in a sentence.
  case note(String)
}
