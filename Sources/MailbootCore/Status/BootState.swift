/// What is true of vault and services, in one word. See `docs/interface.md`.
public enum BootState: String, CaseIterable, Codable, Sendable {
  /// The vault is closed.
  case locked
  /// A run holds the lock and is at this point.
  case opening, mounting, verifying, starting, locking
  /// Anything between open and ready.
  case degraded
  /// Mounted, no required check failed, every unit active, every probe's last answer good.
  case ready
  /// No bus or no sysfs: cannot tell.
  case unknown

  /// Exit code of `mailboot status`.
  public var statusExitCode: Int32 {
    switch self {
    case .ready: 0
    case .unknown: 1
    case .locked: 2
    case .degraded: 3
    case .opening, .mounting, .verifying, .starting, .locking: 4
    }
  }
}

/// Whether a step had something to do. "Already so" is success, and never a bare Bool.
public enum StepOutcome: String, Codable, Sendable {
  case changed, unchanged
}

/// One unit as systemd sees it.
public struct UnitStatus: Equatable, Sendable {
  public var unit: String
  public var activeState: String
  public var subState: String

  public init(unit: String, activeState: String, subState: String) {
    self.unit = unit
    self.activeState = activeState
    self.subState = subState
  }

  /// Running, or on the way through a reload.
  public var isActive: Bool { activeState == "active" || activeState == "reloading" || activeState == "refreshing" }
}

/// A configured service with the units that do its work.
public struct ServiceStatus: Equatable, Sendable {
  public var name: String
  public var units: [UnitStatus]
  /// When the last of the units became active, seconds since 1970; nil while one is not.
  public var activeSince: Double?
  /// When a unit last became active, microseconds since 1970 as systemd says; 0 = never. Older probes don't count.
  public var startedMicroseconds: UInt64

  public init(name: String, units: [UnitStatus], activeSince: Double?, startedMicroseconds: UInt64) {
    self.name = name
    self.units = units
    self.activeSince = activeSince
    self.startedMicroseconds = startedMicroseconds
  }

  public var isActive: Bool { !units.isEmpty && units.allSatisfy(\.isActive) }
}

/// What the kernel and systemd say now. State is observed, never remembered.
public struct Observation: Equatable, Sendable {
  public var opening: Opening
  /// What is mounted on the mount point (uppermost), if anything.
  public var mount: MountStatus?
  /// One for each further vault, in order.
  public var others: [ObservedVault]
  /// One for each `[[bind]]`, in order.
  public var bindsMounted: [Bool]
  /// One for each `[[service]]`, in order; nil when systemd could not be asked.
  public var services: [ServiceStatus]?

  public init(
    opening: Opening, mount: MountStatus?, others: [ObservedVault] = [], bindsMounted: [Bool],
    services: [ServiceStatus]?
  ) {
    self.opening = opening
    self.mount = mount
    self.others = others
    self.bindsMounted = bindsMounted
    self.services = services
  }

  /// Whether the file system on the mount point is the vault's.
  public var vaultMounted: Bool { ObservedVault(opening: opening, mount: mount).isMounted }
}

/// One vault, as the kernel says.
public struct ObservedVault: Equatable, Sendable {
  public var opening: Opening
  /// What is mounted on its mount point (uppermost), if anything.
  public var mount: MountStatus?

  public init(opening: Opening, mount: MountStatus?) {
    self.opening = opening
    self.mount = mount
  }

  /// Whether the file system on the mount point is the vault's.
  public var isMounted: Bool {
    guard let vault = opening.vault, let mount else { return false }
    return vault.device == nil || mount.device == vault.device
  }
}

/// One line of the mount table.
public struct MountStatus: Equatable, Sendable {
  /// `major:minor`.
  public var device: String
  public var source: String
  public var filesystem: String
  public var sizeBytes: UInt64?
  public var availableBytes: UInt64?
  public var isReadOnly: Bool
  /// Errors that the kernel has found in an ext4 file system since its last check. Since Linux 6.12, and in older ones that are
  /// maintained, it refuses to write after one (`errors=remount-ro`) without calling the mount read-only.
  public var errors: Int

  public init(
    device: String, source: String, filesystem: String, sizeBytes: UInt64? = nil, availableBytes: UInt64? = nil,
    isReadOnly: Bool = false, errors: Int = 0
  ) {
    self.device = device
    self.source = source
    self.filesystem = filesystem
    self.sizeBytes = sizeBytes
    self.availableBytes = availableBytes
    self.isReadOnly = isReadOnly
    self.errors = errors
  }
}
