import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd

/// One service on its way to ready: its units' start jobs, then its probe.
final class ServiceTask {
  private enum Phase {
    case job(JobID, UnitName)
    case probing(ChildProcess)
    case done
  }

  let index: Int
  private let service: Configuration.Service
  private let units: UnitControl
  private let worker: Worker
  private let begunMonotonic = Reactor.monotonic()
  private let begunWall = Reactor.wall()
  private let timeout: Double
  private var phase = Phase.done
  private var outcome = StepOutcome.unchanged
  private let quickStart: PostfixQuickStart?
  private let triggers: ServiceTriggers?
  /// The units that would start this one by themselves.
  private var triggeredBy: [UnitName] = []
  private let onStart: () throws(Failure) -> Void
  /// Whether the probe is waited for, not only asked.
  private let waits: Bool
  /// The units that do the work; nil until systemd was asked.
  private var names: [UnitName]?
  /// The unit files that `names` was read from.
  private var namesStamp: String?
  /// Units already given a start job of their own.
  private var started: Set<UnitName> = []
  /// When to look at the units again while the probe goes on.
  private var nextLook = 0.0
  private(set) var event: ServicesEvent?

  /// - Parameters:
  ///   - start: false only asks the probe, once.
  ///   - triggers: starts what belongs to the service beside it.
  ///   - quickStart: set for postfix when its checks have just passed.
  ///   - onStart: called before each start job is asked for.
  init(
    _ service: Configuration.Service, index: Int, start: Bool, timeout: Double,
    units: UnitControl, worker: Worker, triggers: ServiceTriggers? = nil,
    quickStart: PostfixQuickStart? = nil, onStart: @escaping () throws(Failure) -> Void = {}
  ) throws(Failure) {
    self.service = service
    self.index = index
    self.units = units
    self.worker = worker
    self.timeout = timeout
    self.triggers = triggers
    self.quickStart = quickStart
    self.onStart = onStart
    waits = start
    if start {
      try startNext()
    } else {
      try look()
    }
  }

  private var name: UnitName { UnitName(service.name) }
  private var deadline: Double { begunMonotonic + timeout }

  /// Its child while it has one, to wait for.
  var child: ChildProcess? {
    if case .probing(let child) = phase { return child }
    return nil
  }

  /// When it wants to look even if nothing has happened.
  var wakeUp: Double {
    if case .probing = phase { return nextLook }
    return deadline
  }

  /// Goes on as far as it can. Job results must have been drained before.
  func advance() throws(Failure) -> ServicesEvent? {
    switch phase {
    case .job(let job, let unit):
      if let result = try units.result(of: job) {
        try jobEnded(unit, result)
      } else if Reactor.monotonic() >= deadline {
        fail(
          .notStarted(
            unit: unit.rawValue, result: "did not finish starting within \(Int(timeout)) s", journal: journal(unit)))
      }
    case .probing(let child):
      if child.pump() {
        try probed(child)
      } else if Reactor.monotonic() >= nextLook {
        try lookWhileProbing(child)
      }
    case .done: break
    }
    return event
  }

  func abandon() {
    quickStart?.withdraw()
    child?.killAndReap()
  }

  /// The units that do the work, as systemd says now.
  static func working(_ name: UnitName, _ units: UnitControl) throws(Failure) -> [UnitDetails] {
    guard let own = try units.details(of: [name])[name] else { return [] }
    let names = workingUnits(of: own)
    let others = names.filter { $0 != own.state.name }
    if others.isEmpty { return [own] }
    let details = try units.details(of: others)
    return [own] + others.compactMap { details[$0] }
  }

  /// The states of the units that do the work. All their properties, which cost systemd several times as much, are for saying why.
  private func states() throws(Failure) -> [UnitState] {
    // A mount from a changed fstab has systemd read its unit files anew, in the middle of a run.
    let stamp = unitFilesStamp()
    let names: [UnitName]
    if let known = self.names, namesStamp == stamp {
      names = known
    } else {
      let details = try Self.working(name, units)
      names = details.map(\.state.name)
      triggeredBy = ServiceTriggers.names(of: details)
    }
    self.names = names
    namesStamp = stamp
    let states = try units.states(of: names)
    return names.compactMap { states[$0] }
  }

  /// Starts the first unit that is down and has not been tried; with none left, goes on to the probe.
  private func startNext() throws(Failure) {
    guard let down = try states().first(where: { !$0.isActive }) else {
      quickStart?.withdraw()
      return try beginProbe()
    }
    let unit = down.name
    guard started.insert(unit).inserted else {
      return fail(.notStarted(unit: unit.rawValue, result: try words(unit, down), journal: journal(unit)))
    }
    if outcome == .unchanged {
      _ = quickStart?.request()
      try triggers?.start(triggeredBy, before: true, units)
    }
    try onStart()
    outcome = .changed
    // Else a start limit of earlier tries, or a failed state, would be taken for this one's.
    try units.resetFailed(unit)
    phase = .job(try units.start(unit), unit)
  }

  private func jobEnded(_ unit: UnitName, _ result: String) throws(Failure) {
    // "done" says too little (a failed condition is "done"), so the units themselves are asked again either way.
    if result == "done" { return try startNext() }
    fail(.notStarted(unit: unit.rawValue, result: try words(unit, job: result), journal: journal(unit)))
  }

  /// A unit's state as a person would say it.
  /// - Parameter seen: the state that was judged: it may be another by now.
  private func words(_ unit: UnitName, _ seen: UnitState? = nil, job: String = "done") throws(Failure) -> String {
    guard let details = try units.details(of: [unit])[unit] else { return job }
    return Self.words(details, seen, job: job)
  }

  static func words(_ details: UnitDetails, _ seen: UnitState? = nil, job: String) -> String {
    let state = seen ?? details.state
    var text = state.isMasked ? "masked" : "\(state.activeState) (\(state.subState))"
    if let result = details.result, result != "success" { text += ", \(result)" }
    switch job {
    case "assert": text = "an assertion of the unit failed (\(hindrances(details)))"
    // A start that a condition keeps from being one is done, and nothing runs.
    case "done" where state.activeState == "inactive" && !details.hindrances.isEmpty:
      text += ", kept from starting by \(hindrances(details))"
    case "dependency": text += ", a unit it needs failed"
    case "timeout": text += ", its start timed out"
    case "canceled": text += ", somebody cancelled the start"
    default: break
    }
    return text
  }

  private static func hindrances(_ details: UnitDetails) -> String {
    let names = details.hindrances.map(\.description)
    return (names.count > 1 ? "one of " : "") + names.joined(separator: ", ")
  }

  private func journal(_ unit: UnitName) -> [String] {
    // A second earlier: the journal's clock and ours are read at different times.
    UnitControl.journal(unit, sinceWall: begunWall - 1)
  }

  private func beginProbe() throws(Failure) {
    guard let probe = service.probeText else { return try becomeReady(nil) }
    let rest = max(1, deadline - Reactor.monotonic())
    let request = ProbeRequest(url: probe, timeout: rest, attemptTimeout: min(10, rest))
    phase = .probing(try worker.begin(.probe, request))
    nextLook = Reactor.monotonic() + 1
  }

  private func becomeReady(_ record: ProbeRecord?) throws(Failure) {
    phase = .done
    if waits { try triggers?.start(triggeredBy, before: false, units) }
    event = .ready(service: index, outcome, record)
  }

  private func probed(_ child: ChildProcess) throws(Failure) {
    let record: ProbeRecord
    switch try worker.reply(ProbeReply.self, of: child) {
    case .answered(let text): record = ProbeRecord(answered: true, detail: text, at: Reactor.wall())
    case .silent(let reason): record = ProbeRecord(answered: false, detail: reason, at: Reactor.wall())
    }
    phase = .done
    if record.answered {
      // Somebody else may have answered: whoever has the port keeps the service from starting.
      if let down = try states().first(where: { !$0.isActive }) {
        let unit = down.name
        let result = try words(unit, down) + ", although something answers at \(service.probeText ?? "")"
        return fail(.notStarted(unit: unit.rawValue, result: result, journal: journal(unit)))
      }
      try becomeReady(record)
    } else {
      fail(
        .silent(
          probe: service.probeText ?? "", reason: record.detail, seconds: waits ? Int(timeout.rounded()) : 0,
          journal: journal(name)),
        record)
    }
  }

  /// A unit that dies while its probe waits (rspamd with a broken configuration does) need not be waited for to the end.
  private func lookWhileProbing(_ child: ChildProcess) throws(Failure) {
    nextLook = Reactor.monotonic() + 1
    // To look up a name may take longer than the probe allows.
    if Reactor.monotonic() >= deadline + 10 {
      child.killAndReap()
      let seconds = waits ? Int(timeout.rounded()) : 0
      return fail(
        .silent(
          probe: service.probeText ?? "", reason: "the probe has no end", seconds: seconds, journal: journal(name)))
    }
    guard let failed = try states().first(where: \.isFailed) else { return }
    child.killAndReap()
    fail(
      .notStarted(
        unit: failed.name.rawValue, result: try words(failed.name, failed), journal: journal(failed.name)))
  }

  /// Without starting: the units have to be active, and then the probe answers or not.
  private func look() throws(Failure) {
    if let down = try states().first(where: { !$0.isActive }) {
      fail(.notStarted(unit: down.name.rawValue, result: try words(down.name, down), journal: []))
    } else {
      try beginProbe()
    }
  }

  private func fail(_ failure: ServiceFailure, _ probe: ProbeRecord? = nil) {
    quickStart?.withdraw()
    phase = .done
    event = .failed(service: index, failure, probe)
  }
}

/// Changes whenever systemd has read its unit files: it makes its generators' directory anew then. Nil where there is none.
private func unitFilesStamp() -> String? {
  guard let status = fileStatus("/run/systemd/generator") else { return nil }
  return "\(status.st_ino).\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
}
