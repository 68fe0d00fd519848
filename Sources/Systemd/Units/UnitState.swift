/// Whether a unit is loaded and active. The strings are systemd's; new ones may appear with any version.
public struct UnitState: Sendable, Equatable {
  /// The unit's primary name (`Id`); an alias that was asked for is resolved to it.
  public let name: UnitName
  /// `loaded`, `not-found`, `masked`, `bad-setting`, `error`, …
  public let loadState: String
  /// `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`, …
  public let activeState: String
  /// The state in terms of the unit's type: `running`, `exited`, `mounted`, `dead`, `auto-restart`, …
  public let subState: String
  /// The job that is queued or running for the unit.
  public let job: JobID?

  public init(name: UnitName, loadState: String, activeState: String, subState: String, job: JobID? = nil) {
    self.name = name
    self.loadState = loadState
    self.activeState = activeState
    self.subState = subState
    self.job = job
  }

  public var isActive: Bool { activeState == "active" || ["reloading", "refreshing"].contains(activeState) }
  public var isFailed: Bool { activeState == "failed" }
  public var isNotFound: Bool { loadState == "not-found" }
  public var isMasked: Bool { loadState == "masked" }
}
