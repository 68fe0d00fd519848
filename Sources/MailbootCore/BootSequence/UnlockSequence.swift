import SecretMemory

/// One unlock, from an accepted passphrase to ready: opens, mounts, checks, starts, and takes back what it did when that fails.
///
/// It knows the order and the rules and nothing of the machine. Each step looks at the machine itself and says whether it had
/// something to do, so a run on a half-open vault completes what is missing, and takes back only what it changed itself.
public final class UnlockSequence {
  private enum Undo: Equatable {
    case close, unmount
    case closeVault(Int)
    case unmountVault(Int)
    case unmountBind(Int)
    case stop(Int)
  }

  private let configuration: Configuration
  private let vault: any VaultPort
  /// The further ones, as `Configuration.otherVaults`.
  private let others: [any OtherVaultPort]
  private let services: any ServicesPort
  private let clock: any ClockPort
  private let report: (Progress) -> Void
  private let log: StepLog
  /// The services to start, by their places; nil: all. The others are asked, and left as they are.
  private let only: Set<Int>?
  private var undo: [Undo] = []
  /// Doors that are prepared, or just being so, and not open.
  private var held: [Int] = []
  /// When each step began, monotonic seconds, by its name.
  private var begun: [String: Double] = [:]

  public var steps: [StepRecord] { log.steps }
  public private(set) var verdicts: Verdicts
  public private(set) var probes: [String: ProbeRecord] = [:]
  /// The further vaults that are not mounted.
  public private(set) var closed: [ClosedVault] = []
  private var hasTriedOthers = false
  /// Whether this run was taken back to where it began.
  public private(set) var rolledBack = false

  public init(
    configuration: Configuration, vault: any VaultPort, others: [any OtherVaultPort] = [], services: any ServicesPort,
    clock: any ClockPort, only: Set<Int>? = nil, report: @escaping (Progress) -> Void
  ) {
    self.configuration = configuration
    self.vault = vault
    self.others = others
    self.services = services
    self.only = only
    self.clock = clock
    self.report = report
    log = StepLog(clock: clock, report: report)
    verdicts = Verdicts(configuration.verify)
  }

  /// Opens the vault. A refused passphrase is no step of the run: the next try may follow on the same run.
  public func open(_ passphrase: borrowing SecretBytes) throws(Failure) {
    let begun = log.begin(.open)
    // The try that counts is the last one.
    log.restart(at: begun)
    services.lookAhead(CheckGroup.allCases.filter { $0.isOutsideVault && verdicts.wants($0) })
    do {
      let outcome = try vault.open(passphrase)
      if outcome == .changed { undo.append(.close) }
      log.ended(.open, outcome, begun: begun)
    } catch {
      services.abandon()
      if case .passphraseRefused(_, let empty, _) = error {
        report(.refused(empty: empty))
        throw error
      }
      log.failed(.open, begun: begun)
      throw error
    }
  }

  /// Notes that it was there already.
  public func foundOpen() {
    let begun = clock.monotonic()
    log.restart(at: begun)
    log.ended(.open, .unchanged, begun: begun)
  }

  /// Opens the further vaults that are closed, while the first is open: the run is for them.
  /// - Throws: `.passphraseRefused` when it opens none of those that want one. The next try may follow on another run.
  public func openOthers(_ passphrase: borrowing SecretBytes) throws(Failure) {
    log.restart(at: clock.monotonic())
    let before = undo.count
    try tryOthers(passphrase)
    guard undo.count == before, closed.contains(where: \.wantsPassphrase) else { return }
    report(.refused(empty: passphrase.isEmpty))
    throw .passphraseRefused(
      tries: passphrase.isEmpty ? 0 : 1, empty: passphrase.isEmpty,
      endsInCarriageReturn: refusedWithCarriageReturn)
  }

  /// From the open vault to ready; with `start` false to mounted and checked.
  public func complete(start: Bool) throws(Failure) {
    let passphrase: SecretBytes
    do { passphrase = try SecretBytes(capacity: 1) } catch { throw .system("\(error)") }
    try complete(start: start, passphrase)
  }

  /// The same.
  /// - Parameter passphrase: is tried on the further vaults; empty: there is none.
  public func complete(start: Bool, _ passphrase: borrowing SecretBytes) throws(Failure) {
    var schedule: ServiceSchedule
    do {
      try mountFirst()
      if !hasTriedOthers { try tryOthers(passphrase) }
      try mountBinds()
      for vault in closed { report(.leftClosed(vault)) }
      schedule = ServiceSchedule(
        configuration: configuration, withServices: start, holds: start ? try holds() : [:], absent: absent)
    } catch {
      services.abandon()
      // A vault that cannot be mounted serves nobody open, whatever `on-failure` says.
      throw takeBack(error)
    }
    fill()
    do {
      // What a door's units do before they listen is the longest way of all. It needs the mount (postfix's queue may lie there),
      // but none of the checks.
      prepare(schedule.beginDoors(), schedule)
      try checkAndStart(&schedule)
      if !start { try services.admit() }
    } catch {
      services.abandon()
      throw configuration.unlock.onFailure == .lock ? takeBack(error) : error
    }
  }

  /// The services that wait for a vault that is not mounted.
  private var absent: Set<Int> { configuration.services(without: Set(closed.map(\.name))) }

  private func mountFirst() throws(Failure) {
    try perform(.mount, undo: .unmount) { () throws(Failure) in try vault.mount() }
  }

  /// Opens and mounts the further vaults. One that fails holds up nothing but what names it.
  private func tryOthers(_ passphrase: borrowing SecretBytes) throws(Failure) {
    hasTriedOthers = true
    closed = []
    for (index, other) in others.enumerated() {
      do throws(Failure) {
        try bringUp(index, other, passphrase)
      } catch .interrupted(let signal) {
        throw .interrupted(signal: signal)
      } catch {
        leave(other.name, closed: error, passphraseGiven: !passphrase.isEmpty)
      }
    }
  }

  private func bringUp(
    _ index: Int, _ other: any OtherVaultPort, _ passphrase: borrowing SecretBytes
  ) throws(Failure) {
    let step = Step.openVault(other.name)
    let begun = log.begin(step)
    let opened: StepOutcome
    do throws(Failure) {
      opened = try other.open(passphrase)
    } catch {
      // One that waits for another passphrase has not failed.
      if case .passphraseRefused = error { throw error }
      log.failed(step, begun: begun)
      throw error
    }
    if opened == .changed { undo.append(.closeVault(index)) }
    log.ended(step, opened, begun: begun)
    do throws(Failure) {
      try perform(.mountVault(other.name, on: other.mountPoint), undo: .unmountVault(index)) { () throws(Failure) in
        try other.mount()
      }
    } catch {
      guard opened == .changed else { throw error }
      // Open without a mount it serves nobody.
      undo.removeLast()
      do { try other.close() } catch let second { throw .rollback(of: error, trouble: [second.summary]) }
      throw error
    }
  }

  /// Whether a passphrase that a further vault refused ended in a carriage return.
  private var refusedWithCarriageReturn = false

  private func leave(_ name: String, closed failure: Failure, passphraseGiven: Bool) {
    var wants = false
    var why = failure.summary
    if case .passphraseRefused(_, _, let carriageReturn) = failure {
      wants = true
      refusedWithCarriageReturn = refusedWithCarriageReturn || carriageReturn
      why = passphraseGiven ? "its passphrase is another one" : "nobody has given its passphrase"
    }
    let waiting = configuration.services(without: [name]).sorted().map { configuration.services[$0].name }
    closed.append(ClosedVault(name: name, why: why, wantsPassphrase: wants, services: waiting))
  }

  private func mountBinds() throws(Failure) {
    let missing = Set(closed.map(\.name))
    for (index, bind) in configuration.binds.enumerated() {
      if let other = configuration.otherVault(of: bind.from), missing.contains(other.name) { continue }
      try perform(.bind(index, to: bind.to), undo: .unmountBind(index)) { () throws(Failure) in
        try vault.mountBind(index)
      }
    }
  }

  /// What fails here keeps nothing down by itself: the checks find what is missing, and say so.
  private func fill() {
    let begun = clock.monotonic()
    do throws(Failure) {
      if let outcome = try vault.fill() { log.ended(.fill, outcome, begun: begun) }
    } catch {
      log.failed(.fill, begun: begun)
      report(.note("mailhost: \(error.summary)"))
    }
  }

  private func perform(_ step: Step, undo taken: Undo, _ work: () throws(Failure) -> StepOutcome) throws(Failure) {
    let outcome = try log.perform(step, work)
    if outcome == .changed { undo.append(taken) }
  }

  private func prepare(_ doors: [Int], _ schedule: ServiceSchedule) {
    for index in doors {
      let step = Step.prepare(configuration.services[index].name)
      begun[step.name] = log.begin(step)
      let checks = schedule.holds[index] ?? []
      for group in checks { begun[Step.check(group).name] = log.begin(.check(group)) }
      held.append(index)
      services.prepare(door: index, making: checks)
    }
  }

  private func checkAndStart(_ schedule: inout ServiceSchedule) throws(Failure) {
    var serviceFailure: Failure?
    while true {
      if serviceFailure == nil && verdicts.failed.isEmpty {
        let round = schedule.begin()
        // Services first: they are the long way.
        for index in round.services {
          let name = configuration.services[index].name
          begun[name] = log.begin(.service(name))
          held.removeAll { $0 == index }
          let start = isToStart(index)
          if start { undo.append(.stop(index)) }
          services.begin(service: index, start: start)
        }
        for group in round.checks {
          begun[Step.check(group).name] = log.begin(.check(group))
          services.begin(check: group)
        }
      } else if schedule.goingChecks == 0 || configuration.unlock.onFailure == .lock && serviceFailure == nil {
        // What still goes on cannot change the verdict. With a failed service the running checks may still say why.
        break
      }
      if schedule.going == 0 { break }
      switch try services.next() {
      case .checked(let group, let findings):
        schedule.ended(group)
        let records = verdicts.take(findings, of: group, at: clock.wall())
        let bad = records.contains { $0.result == .fail }
        let seconds = log.note(
          .check(group), bad ? .failed : .unchanged, begun: begun[Step.check(group).name] ?? clock.monotonic())
        report(.checked(group, records, seconds: seconds))
      case .prepared(let index, let detail):
        schedule.ended(door: index)
        let step = Step.prepare(configuration.services[index].name)
        log.ended(step, .changed, begun: begun[step.name] ?? clock.monotonic(), detail: detail)
      case .ready(let index, let outcome, let probe):
        schedule.ended(service: index)
        let name = configuration.services[index].name
        if let probe { probes[name] = probe }
        log.ended(.service(name), outcome, begun: begun[name] ?? clock.monotonic(), detail: probe?.detail)
      case .failed(let index, let failure, let probe):
        let name = configuration.services[index].name
        guard isToStart(index) else {
          // It stays as it is, and what waits for it does not begin.
          schedule.isDown(service: index)
          if let probe { probes[name] = probe }
          log.failed(.service(name), begun: begun[name] ?? clock.monotonic())
          continue
        }
        let step: Step = held.contains(index) ? .prepare(name) : .service(name)
        if held.contains(index) { schedule.ended(door: index) } else { schedule.ended(service: index) }
        if let probe { probes[name] = probe }
        log.failed(step, begun: begun[step.name] ?? clock.monotonic())
        serviceFailure = serviceFailure ?? .service(name: name, failure)
      }
    }
    if !verdicts.failed.isEmpty { throw .verification(verdicts.failed) }
    if let serviceFailure { throw serviceFailure }
    for index in only?.sorted() ?? [] {
      guard let obstacle = schedule.obstacle(of: index) else { continue }
      let (service, other) = (configuration.services[index].name, configuration.services[obstacle].name)
      throw .service(
        name: service, .notStarted(unit: service, result: "it waits for \(other), which is down", journal: []))
    }
  }

  private func isToStart(_ index: Int) -> Bool { only?.contains(index) ?? true }

  /// The doors that can be held on this machine, with the checks that their own units make.
  private func holds() throws(Failure) -> [Int: Set<CheckGroup>] {
    var holds: [Int: Set<CheckGroup>] = [:]
    let absent = absent
    for (index, service) in configuration.services.enumerated()
    where service.isDoor && isToStart(index) && !absent.contains(index) {
      if let checks = try services.hold(of: index) { holds[index] = checks }
    }
    return holds
  }

  /// Takes back what this run changed, last first, and returns what to throw.
  private func takeBack(_ cause: Failure) -> Failure {
    // Whatever was begun after it: a door is shut before anything behind it goes.
    undo += held.map { .stop($0) }
    held = []
    // A service that ran before is not ours to stop, whatever its probe said.
    undo.removeAll { if case .stop(let index) = $0 { !services.started.contains(index) } else { false } }
    guard !undo.isEmpty else { return cause }
    report(.undoing)
    var trouble: [String] = []
    for action in undo.reversed() {
      do {
        switch action {
        case .stop(let index): try services.stop(service: index)
        case .unmountBind(let index): try vault.unmountBind(index)
        case .unmountVault(let index): try others[index].unmount()
        case .closeVault(let index): try others[index].close()
        case .unmount: try vault.unmount()
        case .close: try vault.close()
        }
        report(.undone(name(of: action), trouble: nil))
      } catch {
        let text = "\(name(of: action)): \(error.summary)"
        report(.undone(name(of: action), trouble: error.summary))
        trouble.append(text)
      }
    }
    undo = []
    rolledBack = trouble.isEmpty
    return trouble.isEmpty ? cause : .rollback(of: cause, trouble: trouble)
  }

  private func name(of action: Undo) -> String {
    switch action {
    case .close: "close \(vault.name)"
    case .unmount: "unmount \(configuration.vault.mount)"
    case .unmountVault(let index): "unmount \(others[index].mountPoint)"
    case .closeVault(let index): "close \(others[index].name)"
    case .unmountBind(let index): "unmount \(configuration.binds[index].to)"
    case .stop(let index): "stop \(configuration.services[index].name)"
    }
  }
}
