/// What systemd knows of a unit, as far as somebody who starts and watches it needs it.
public struct UnitDetails: Sendable, Equatable {
  public var state: UnitState
  /// The primary name and all aliases.
  public var names: [UnitName] = []
  public var wants: [UnitName] = []
  public var requires: [UnitName] = []
  /// The units that are `PartOf=` this one.
  public var consistsOf: [UnitName] = []
  public var conflicts: [UnitName] = []
  /// The sockets, timers and paths that start this one.
  public var triggeredBy: [UnitName] = []
  /// What `systemctl is-enabled` says; empty for a unit without a file.
  public var fileState = ""
  /// When it last became active: microseconds since 1970, 0 for never since boot.
  public var activeEnterMicroseconds: UInt64 = 0
  /// Whether what the unit was made from (for a mount `/etc/fstab`) is newer than what systemd has read.
  public var needsReload = false
  /// `success`, or how the last run of a service, mount or socket failed (`exit-code`, `timeout`, …).
  public var result: String?
  /// How the main process ended: `CLD_EXITED` (1), `CLD_KILLED` (2), `CLD_DUMPED` (3); 0 when it has not.
  public var execMainCode: Int32 = 0
  /// The main process's exit status, or the signal that ended it.
  public var execMainStatus: Int32 = 0

  /// Whether its conditions held when it was last to be started.
  public var conditionsHeld = false
  public var conditions: [UnitCondition] = []
  public var assertions: [UnitCondition] = []

  /// What kept the last start from being one: the assertion or condition that did not hold, where systemd still knows; else all that there
  /// are, because it forgets with a unit that nothing else needs.
  public var hindrances: [UnitCondition] {
    for tested in [assertions, conditionsHeld ? [] : conditions] {
      if let one = tested.first(where: { $0.holds == false }) { return [one] }
    }
    return conditionsHeld ? [] : (assertions + conditions).filter { $0.holds == nil }
  }

  /// The process of the command before or after its own that runs now; 0: none does.
  public var controlPID: Int32 = 0
  /// What a service runs before its own process, in this order.
  public var startPre: [UnitCommand] = []
  /// How long a start may take, microseconds; nil: as long as it wants.
  public var startTimeoutMicroseconds: UInt64?

  public init(state: UnitState) { self.state = state }
}

/// The units that do the work of a unit: the unit itself, then those it both wants and consists of, less those it
/// conflicts with.
///
/// On Debian 12 `postfix.service` does nothing itself and wants `postfix@-.service`, which is part of it; on Debian 13
/// it is the real daemon, and conflicts with that instance although it still claims to consist of it.
public func workingUnits(of details: UnitDetails) -> [UnitName] {
  let parts = Set(details.consistsOf).subtracting(details.conflicts).subtracting([details.state.name])
  return [details.state.name] + Set(details.wants).intersection(parts).sorted { $0.rawValue < $1.rawValue }
}
