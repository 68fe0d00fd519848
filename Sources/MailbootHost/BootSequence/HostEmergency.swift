import CLinux
import Glibc
import MailbootCore
import Systemd

/// An emergency lock's steps on this machine. Each ends within seconds, whatever hangs.
final class HostEmergency: EmergencyPort {
  private let configuration: Configuration
  private let kind: any VaultKind
  private let worker: Worker
  private let reactor: Reactor
  /// Connected when it is first needed: the key goes before anybody is asked anything.
  private var connected: UnitControl?

  /// Seconds units have to stop by themselves: nothing they might still want to save can be written.
  private static let stopTimeout = 2.0
  private static let unmountTimeout = 5.0

  private let caller: Int32

  init(configuration: Configuration, kind: any VaultKind, worker: Worker, reactor: Reactor, caller: Int32) {
    self.caller = caller
    self.kind = kind
    self.configuration = configuration
    self.worker = worker
    self.reactor = reactor
  }

  var name: String { kind.name }
  private var fileSystem: String? { MountTable.current().flatMap(kind.fileSystem) }

  private func units() throws(Failure) -> UnitControl {
    if let connected { return connected }
    let units = try UnitControl(reactor: reactor)
    connected = units
    return units
  }

  func revokeKey() throws(Failure) -> StepOutcome { try kind.revokeKey(worker, reactor) }

  func stopServices() throws(Failure) -> StepOutcome {
    VerifiedStamp().remove()
    let units = try units()
    var working: [UnitDetails] = []
    for service in configuration.services { working += try ServiceTask.working(UnitName(service.name), units) }
    let running = working.filter { !["inactive", "failed"].contains($0.state.activeState) }.map(\.state.name)
    var jobs = try ServiceTriggers().stop(of: working, units)
    // The stop comes first: what only died would be started again.
    for unit in running { jobs.append((unit: unit, job: try units.stop(unit))) }
    let deadline = Reactor.monotonic() + Self.stopTimeout
    var late: Set<String> = []
    for (unit, job) in jobs where try units.wait(for: job, until: deadline) == nil { late.insert(unit.rawValue) }
    if !late.isEmpty {
      try endProcesses { entry in entry.unit.map { late.contains($0) } ?? false }
      let deadline = Reactor.monotonic() + Self.stopTimeout
      for (unit, job) in jobs where late.contains(unit.rawValue) { _ = try units.wait(for: job, until: deadline) }
    }
    for (unit, state) in try units.states(of: running)
    where state.isActive || state.activeState == "deactivating" {
      throw .service(name: unit.rawValue, .notStopped(unit: unit.rawValue, result: state.activeState))
    }
    for unit in running { try units.resetFailed(unit) }
    return running.isEmpty ? .unchanged : .changed
  }

  /// By force at once, all that match and are no ancestors of ours.
  private func endProcesses(_ isMeant: (ProcessEntry) -> Bool) throws(Failure) {
    let pids = ProcessEntry.all().filter(isMeant).map(\.pid)
    try ProcessEnding(reactor: reactor).end(pids, byForceAtOnce: true) { isMeant(ProcessEntry(pid: $0)) }
  }

  func endUsers() throws(Failure) -> StepOutcome {
    guard let device = fileSystem.flatMap({ DeviceNumber($0) }) else { return .unchanged }
    let watch = MountHolders(device: device, mountPoints: configuration.shownAt, caller: caller)
    // Whoever started us would take us along; it is named at the end.
    let pids = watch.processes().filter { !$0.isAncestor }.map(\.pid)
    var ending = ProcessEnding(reactor: reactor)
    ending.grace = 2
    return try ending.end(pids, stillMeant: watch.isHolding) ? .changed : .unchanged
  }

  func unmountAll() throws(Failure) -> StepOutcome {
    guard let fileSystem else { return .unchanged }
    var outcome = StepOutcome.unchanged
    // The last mounted first: one may lie in the other.
    for path in mountPoints(of: fileSystem).reversed() {
      outcome = .changed
      if let units = try? units() {
        _ = try? Mounts(units: units, timeout: Self.unmountTimeout).stop(path: path)
      }
      if mountPoints(of: fileSystem).contains(path) { _ = mb_umount_lazily(path) }
    }
    return outcome
  }

  private func mountPoints(of fileSystem: String) -> [String] {
    MountTable.current()?.entries.filter { $0.device == fileSystem }.map(\.mountPoint) ?? []
  }

  func close() throws(Failure) -> StepOutcome {
    // The mount units have failed because their device did, and gocryptfs' because it was killed; nobody is to find them in `systemctl --failed` for ever.
    defer { forgetMountFailures() }
    do throws(Failure) {
      return try kind.closeInEmergency(worker, reactor)
    } catch .vault(let failure, let device) where failure.kind == .busy {
      guard let units = try? units() else { throw .vault(failure, device: device) }
      let users = HostUsers(configuration: configuration, kind: kind, units: units, caller: caller)
      guard var use = try? users.look(withServices: true) else { throw .vault(failure, device: device) }
      if use.isEmpty { use.obstacles = [.unseen(failure.detail)] }
      throw .inUse(use, stopped: true)
    }
  }

  private func forgetMountFailures() {
    guard let units = try? units() else { return }
    for path in configuration.shownAt { try? units.resetFailed(.mount(forPath: path)) }
    for unit in kind.watchedUnits where unit.type == "service" { try? units.resetFailed(unit) }
  }
}
