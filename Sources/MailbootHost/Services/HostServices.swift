import Glibc
import Linux
import MailbootCore
import Systemd

/// Checks and services of this machine, all waited for at once in one poll.
final class HostServices: ServicesPort {
  private let configuration: Configuration
  private let units: UnitControl
  private let worker: Worker
  private let checker: HostChecker
  private var checks: [CheckTask] = []
  private var services: [ServiceTask] = []
  /// The door that is held.
  private var door: DoorPreparation?
  /// What is to be told before anything else is waited for.
  private var events: [ServicesEvent] = []
  /// Checks that a service makes itself when it starts, and for which that is waited for.
  private var deferred: Set<CheckGroup> = []
  /// Checks begun before the vault was open.
  private var ahead: [CheckGroup: CheckTask] = [:]
  /// Those of them that have been taken over and may still go wrong for that reason.
  private var early: Set<CheckGroup> = []
  private(set) var started: Set<Int> = []
  private let triggers = ServiceTriggers()
  /// A task that could not even be begun, for the next `next`.
  private var trouble: Failure?

  /// Seconds a check may take; `postfix check` needs 6 s on an emulated machine, a large database some more.
  private static let checkTimeout = 300.0

  /// Seconds that a start has to come to its end before it is stopped; dovecot takes 0.3, emulated 5.
  private static let startPatience = 15.0

  /// Only asking is not waiting: what does not answer within so many seconds does not answer.
  private static let askTimeout = 10.0

  /// - Parameter mayRollBack: whether an interrupted change of the database may be rolled back.
  init(
    configuration: Configuration, units: UnitControl, worker: Worker, mayRollBack: Bool
  ) {
    self.configuration = configuration
    self.units = units
    self.worker = worker
    checker = HostChecker(
      configuration: configuration, kind: VaultKinds.make(configuration), worker: worker, facts: CheckFacts(),
      mayRollBack: mayRollBack)
  }

  func begin(check group: CheckGroup) {
    if let begun = ahead.removeValue(forKey: group) {
      let hasEnded = begun.advance()
      if !hasEnded, isMadeByStart(group) {
        begun.abandon()
        deferred.insert(group)
        return
      }
      if !hasEnded || begun.isSound {
        early.insert(group)
        return checks.append(begun)
      }
    }
    make(group)
  }

  private func make(_ group: CheckGroup) {
    checks.append(checker.begin(group, deadline: Reactor.monotonic() + Self.checkTimeout))
  }

  /// Whether a service that is about to start reads what the check would read. `rspamadm configtest` takes as long as the start of
  /// rspamd itself, beside which it would run.
  private func isMadeByStart(_ group: CheckGroup) -> Bool {
    guard group == .rspamd, let service = configuration.services.first(where: \.isRspamd) else { return false }
    let unit = UnitName(service.name)
    // Where systemd cannot be asked the check is made.
    guard let state = try? units.states(of: [unit])[unit] else { return false }
    return !state.isActive
  }

  /// What the end of a service's start says of the check that was put off for it.
  private func resolve(_ event: ServicesEvent) {
    switch event {
    case .ready(let index, let outcome, _) where configuration.services[index].isRspamd:
      guard deferred.remove(.rspamd) != nil else { return }
      guard outcome == .changed else { return make(.rspamd) }
      events.append(.checked(.rspamd, [Finding(sound: .rspamd, "rspamd has started with its configuration")]))
    case .failed(let index, _, _):
      checker.facts.hasFailedService = true
      // It may say why.
      if configuration.services[index].isRspamd, deferred.remove(.rspamd) != nil { make(.rspamd) }
    default: break
    }
  }

  func lookAhead(_ groups: [CheckGroup]) {
    checker.lookAhead()
    for group in groups where ahead[group] == nil {
      ahead[group] = checker.begin(group, deadline: Reactor.monotonic() + Self.checkTimeout)
    }
  }

  func begin(service index: Int, start: Bool) {
    let timeout =
      start
      ? Double(configuration.unlock.serviceTimeout) : min(Self.askTimeout, Double(configuration.unlock.serviceTimeout))
    do {
      if start { try VerifiedStamp().make(door: configuration.services[index].isDoor) }
      services.append(
        try ServiceTask(
          configuration.services[index], index: index,
          start: start, timeout: timeout, units: units, worker: worker,
          triggers: triggers,
          quickStart: configuration.services[index].name.hasPrefix("postfix") ? checker.quickStart : nil,
          onStart: { [weak self] () throws(Failure) in
            guard let self else { return }
            started.insert(index)
            try open(door: index)
          }))
      // Nothing was left to start.
      if start { try open(door: index) }
    } catch {
      trouble = trouble ?? error
    }
  }

  /// Only one door is held: two would wait at one file, and the first one opened would open both.
  func hold(of index: Int) throws(Failure) -> Set<CheckGroup>? {
    guard configuration.services.count(where: \.isDoor) == 1 else { return nil }
    return try DoorPreparation.abilities(configuration.services[index], of: configuration, units)
  }

  func prepare(door index: Int, making checks: Set<CheckGroup>) {
    do throws(Failure) {
      let hold = try DoorHold(reactor: units.reactor)
      started.insert(index)
      do throws(Failure) {
        // Not before it is held: the boot's own job may be waiting to start it.
        try VerifiedStamp().make(door: true)
        door = try DoorPreparation(
          configuration.services[index], index: index, making: checks, hold: hold,
          patience: Double(configuration.unlock.serviceTimeout), units: units)
      } catch {
        VerifiedStamp().shutDoor()
        hold.shut()
        throw error
      }
    } catch .interrupted(let signal) {
      trouble = trouble ?? .interrupted(signal: signal)
    } catch {
      // It only saves time: the units are started when their turn comes, and the checks are made by us.
      for check in checks { begin(check: check) }
      events.append(.prepared(door: index, detail: "cannot be held: \(error.summary)"))
    }
  }

  /// Lets the units of a door listen, or start without waiting.
  private func open(door index: Int) throws(Failure) {
    guard configuration.services[index].isDoor else { return }
    guard let held = door, held.index == index else { return DoorHold.clear() }
    try held.open()
    door = nil
  }

  func admit() throws(Failure) { try VerifiedStamp().make(door: true) }

  func next() throws(Failure) -> ServicesEvent {
    while true {
      if let trouble { throw trouble }
      try units.drain()
      if let position = checks.firstIndex(where: { $0.advance() }) {
        let check = checks.remove(at: position)
        if !check.isSound && early.remove(check.group) != nil {
          // What was seen before the vault was open may have missed just what lies in it.
          begin(check: check.group)
          continue
        }
        return .checked(check.group, check.findings ?? [])
      }
      if !events.isEmpty { return events.removeFirst() }
      if let event = try door?.advance() {
        // The units have not made that check after all.
        if case .checked(let group, let findings) = event, findings.isEmpty {
          begin(check: group)
          continue
        }
        return event
      }
      for (position, service) in services.enumerated() {
        if let event = try service.advance() {
          services.remove(at: position)
          resolve(event)
          return event
        }
      }
      if checks.isEmpty, services.isEmpty, let group = deferred.popFirst() {
        // Nothing starts it.
        make(group)
        continue
      }
      var descriptors = [units.pollDescriptor]
      for child in checks.compactMap(\.child) + services.compactMap(\.child) { descriptors += child.pollDescriptors }
      if let door { descriptors.append(door.entry) }
      let wakeUp = min(services.map(\.wakeUp).min() ?? .infinity, door?.wakeUp ?? .infinity)
      try units.reactor.wait(&descriptors, until: min(wakeUp, Reactor.monotonic() + 1))
    }
  }

  func abandon() {
    for check in checks + Array(ahead.values) { check.abandon() }
    checker.abandon()
    ahead = [:]
    deferred = []
    if let door {
      VerifiedStamp().shutDoor()
      door.shut()
    }
    door = nil
    for service in services { service.abandon() }
    checks = []
    services = []
  }

  /// Lets a start that is under way come to its end first. Dovecot loses a signal that reaches it in its first 20 ms, and systemd, which
  /// sends it once, then waits 90 s for the end.
  private func awaitStarts(of names: [UnitName]) throws(Failure) {
    let deadline = Reactor.monotonic() + Self.startPatience
    while Reactor.monotonic() < deadline {
      let states = try units.states(of: names).values
      guard states.contains(where: { $0.activeState == "activating" && $0.subState == "start" }) else { return }
      try units.reactor.sleep(seconds: 0.1)
    }
  }

  @discardableResult
  func stop(service index: Int) throws(Failure) -> StepOutcome {
    let name = UnitName(configuration.services[index].name)
    let details = try ServiceTask.working(name, units)
    let working = details.map(\.state.name)
    let isRunning = details.contains { !["inactive", "failed"].contains($0.state.activeState) }
    try awaitStarts(of: working)
    let deadline = Reactor.monotonic() + Double(configuration.unlock.serviceTimeout)
    // Else the next connection, or the next tick, starts it again at once.
    let stopped = try triggers.stop(of: details, units)
    var jobs = stopped
    for unit in working { jobs.append((unit: unit, job: try units.stop(unit))) }
    for (unit, job) in jobs where try units.wait(for: job, until: deadline) == nil {
      throw .service(
        name: name.rawValue,
        .notStopped(unit: unit.rawValue, result: "no end after \(configuration.unlock.serviceTimeout) s"))
    }
    for (unit, state) in try units.states(of: working)
    where state.isActive || ["activating", "deactivating"].contains(state.activeState) {
      throw .service(name: name.rawValue, .notStopped(unit: unit.rawValue, result: state.activeState))
    }
    // A failure that was shown is not to stay behind in `systemctl --failed` for the next run.
    for unit in working { try units.resetFailed(unit) }
    return isRunning || !stopped.isEmpty ? .changed : .unchanged
  }
}
