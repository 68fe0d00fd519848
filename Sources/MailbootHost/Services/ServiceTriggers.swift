import MailbootCore
import Systemd

/// The sockets, timers and paths that start a service by themselves: they go before it, and come back with it.
final class ServiceTriggers {
  /// Stopped by this run.
  private var stopped: Set<UnitName> = []

  /// Stops those of these units that are active.
  /// - Returns: the jobs.
  func stop(of details: [UnitDetails], _ units: UnitControl) throws(Failure) -> [(unit: UnitName, job: JobID)] {
    var jobs: [(unit: UnitName, job: JobID)] = []
    for trigger in try look(at: Self.names(of: details), units) {
      // One whose service has closed its socket failed of that.
      if trigger.state.isFailed { try units.resetFailed(trigger.state.name) }
      guard trigger.state.isActive else { continue }
      jobs.append((trigger.state.name, try units.stop(trigger.state.name)))
      stopped.insert(trigger.state.name)
    }
    return jobs
  }

  /// What would start these units.
  static func names(of details: [UnitDetails]) -> [UnitName] {
    Set(details.flatMap(\.triggeredBy)).sorted { $0.rawValue < $1.rawValue }
  }

  /// Starts sockets before the service, because systemd refuses one whose service is up already, and the others after it, because
  /// they would start it before its turn: those that an administrator has enabled, or that this run has stopped.
  ///
  /// What becomes of the jobs is systemd's to tell: the service itself is up.
  func start(_ names: [UnitName], before: Bool, _ units: UnitControl) throws(Failure) {
    for trigger in try look(at: names.filter { ($0.type == "socket") == before }, units) where !trigger.state.isActive {
      guard trigger.fileState == "enabled" || stopped.contains(trigger.state.name) else { continue }
      // Its assertion failed at the boot, when the vault was locked.
      try units.resetFailed(trigger.state.name)
      _ = try units.start(trigger.state.name)
    }
  }

  private func look(at names: [UnitName], _ units: UnitControl) throws(Failure) -> [UnitDetails] {
    if names.isEmpty { return [] }
    let found = try units.details(of: names)
    return names.compactMap { found[$0] }.filter { $0.state.loadState == "loaded" }
  }
}
