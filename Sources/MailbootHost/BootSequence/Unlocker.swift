import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// `mailboot unlock`, from looking at the machine to ready.
public final class Unlocker {
  private var configuration: Configuration
  let directory: RuntimeDirectory
  private let kind: any VaultKind
  private let tools: VaultTools
  private let worker: Worker
  var units: UnitControl { tools.units }
  private let verb: String
  let report: (Progress) -> Void
  let warn: (String) -> Void
  private var record: LastResults
  /// The service in wait mode, which then does the work.
  let remote: WaitServiceClient?
  /// `--timeout` for it, seconds.
  let timeout: Int?
  private let user: String
  private let tell: EventSink
  /// Whether the service has done the work.
  var wasDelegated = false

  /// - Parameters:
  ///   - user: who unlocks, for the record.
  ///   - remote: the service that is to do the work; nil: this process does it, for which it must be root.
  ///   - tell: takes what happens, for the journal.
  ///   - report: shows progress.
  ///   - warn: says what is wrong but holds nothing up.
  public init(
    configuration: Configuration, reactor: Reactor, directory: RuntimeDirectory = RuntimeDirectory(),
    verb: String = "unlock",
    user: String = invokingUser(), remote: WaitServiceClient? = nil,
    timeout: Int? = nil, tell: @escaping EventSink = writeToJournal, report: @escaping (Progress) -> Void,
    warn: @escaping (String) -> Void
  ) throws(Failure) {
    self.configuration = configuration
    self.directory = directory
    self.verb = verb
    self.user = user
    self.remote = remote
    self.timeout = timeout
    self.tell = tell
    self.report = report
    self.warn = warn
    kind = VaultKinds.make(configuration)
    worker = try Worker()
    tools = VaultTools(
      worker: worker, units: try UnitControl(reactor: reactor), deviceTimeout: configuration.unlock.deviceTimeout,
      warn: warn)
    record = LastResults(bootID: bootID())
  }

  func freshRecord() -> LastResults {
    let boot = bootID()
    return directory.record().flatMap { $0.bootID == boot ? $0 : nil } ?? LastResults(bootID: boot)
  }

  private func opening() throws(Failure) -> Opening {
    try Observer(configuration, kind: kind).storage().opening
  }

  private var isOpen: Bool { (try? opening().isOpen) ?? false }

  /// - Parameters:
  ///   - source: nil when there is nobody to ask: fine as long as the vault is open.
  ///   - start: whether to start the services.
  public func run(source: (any PassphraseSource)?, start: Bool) throws(Failure) -> UnlockSummary {
    let wasOpen = isOpen
    let summary = try runFirst(source: source, start: start)
    return try runFurther(after: summary, source: source, start: start, wasOpen: wasOpen)
  }

  /// Mail is up. Whoever can be asked is asked for the passphrases of the further vaults that the first one's does not open.
  private func runFurther(
    after first: UnlockSummary, source: (any PassphraseSource)?, start: Bool, wasOpen: Bool
  ) throws(Failure) -> UnlockSummary {
    var summary = first
    var given: Set<String> = []
    var attempt = 1
    // Once, and after the last question: whoever asks at a terminal says it, else the run itself.
    defer {
      let isAsking = source?.kind == .terminal
      if wasDelegated ? isAsking : !(isAsking && source?.isHanded == true) {
        for vault in summary.closed { warn(vault.summary) }
      }
    }
    while let source, let vault = summary.closed.first(where: { $0.wantsPassphrase && !given.contains($0.name) }) {
      let name = vault.name
      switch try source.askFurther(name, attempt: attempt, stillWanted: { !self.isOpen(further: name) }) {
      case .secret(let passphrase):
        do throws(Failure) {
          let next =
            try serviceTakesCalls()
            ? try delegate(passphrase, source: source.kind, start: start)
            : try runOpen(start: start, passphrase, via: source.kind)
          summary = next.following(summary)
          attempt = 1
          if summary.closed.contains(where: { $0.name == name }) { given.insert(name) }
        } catch .passphraseRefused(_, let empty, let carriageReturn) {
          attempt += 1
          if attempt <= source.attempts {
            source.refused(empty: empty)
            continue
          }
          // Nothing else was asked for.
          if wasOpen {
            throw .passphraseRefused(tries: attempt - 1, empty: empty, endsInCarriageReturn: carriageReturn)
          }
          given.insert(name)
          attempt = 1
        }
      case .withdrawn:
        while directory.isLocked() { try units.reactor.sleep(seconds: 0.2) }
        if isOpen(further: name) { summary.closed.removeAll { $0.name == name } }
      case .endOfInput: given.formUnion(summary.closed.map(\.name))
      // It was tried with the first.
      case .token: given.formUnion(summary.closed.map(\.name))
      }
    }
    return summary
  }

  private func isOpen(further name: String) -> Bool {
    guard let seen = try? Observer(configuration, kind: kind).storage() else { return false }
    return zip(configuration.otherVaults, seen.others).contains { $0.name == name && $1.opening.isOpen }
  }

  private func runFirst(source: (any PassphraseSource)?, start: Bool) throws(Failure) -> UnlockSummary {
    let isRoot = geteuid() == 0
    guard isRoot || remote != nil else { throw .notRoot(verb: "unlock") }
    if start {
      try noted(source) { () throws(Failure) in
        try Preflight(configuration: configuration, units: units).checkUnits()
      }
    }
    let opening = try opening()
    if opening.isOpen {
      // Each check and service would hang, and it may yet come to itself.
      if let breakdown = opening.breakdown { throw breakdown }
      // Only root can tell whose vault it is; else the run does.
      guard isRoot else { return try delegate(try emptyPassphrase(), source: .none, start: start) }
      try kind.checkOpen(tools)
      return try runOpen(start: start)
    }
    let byToken = source?.kind == .token
    let device =
      isRoot ? try noted(source) { () throws(Failure) in try kind.checkClosed(tools, byToken: byToken) } : nil
    guard let source else {
      throw .usage(
        "the vault is locked, and there is no terminal to ask for the passphrase",
        hint: "give it with `--stdin`, `--key-file FILE` or `--passphrase-fd N`")
    }
    let vault = makeVault(device)
    let run = makeRun(vault, byToken: byToken)
    var attempt = 1
    var empties = 0
    while true {
      switch try source.ask(attempt: attempt, stillWanted: { !self.isOpen }) {
      case .secret(let passphrase):
        if let why = kind.unusable(passphrase) { throw .passphraseUnusable(why) }
        do {
          return try serviceTakesCalls()
            ? try delegate(passphrase, source: source.kind, start: start)
            : try runClosed(run, passphrase, source: source, start: start)
        } catch .passphraseRefused(_, let empty, let carriageReturn) {
          // An empty one was never tried, so it is no attempt; but somebody leaning on Enter is not asked for ever.
          empties += empty ? 1 : 0
          attempt += empty ? 0 : 1
          if attempt > source.attempts || empties >= source.attempts {
            throw .passphraseRefused(tries: attempt - 1, empty: empty, endsInCarriageReturn: carriageReturn)
          }
          source.refused(empty: empty)
        }
      case .token:
        vault.opensByToken = true
        return try runClosed(run, try emptyPassphrase(), source: source, start: start)
      case .withdrawn:
        while directory.isLocked() { try units.reactor.sleep(seconds: 0.2) }
        // The other run may have failed and closed it again: then the question stands.
        if isOpen {
          return isRoot ? try runOpen(start: start) : try delegate(try emptyPassphrase(), source: .none, start: start)
        }
      case .endOfInput: throw .interrupted(signal: SIGINT)
      }
    }
  }

  /// Starts these services, which were up before, and takes nothing back: what comes up stays, every other service is left as it is.
  public func startAgain(_ names: [String]) throws(Failure) -> UnlockSummary {
    configuration.unlock.onFailure = .leave
    guard geteuid() == 0 else { throw .notRoot(verb: "unlock") }
    guard try Observer(configuration, kind: kind).storage().vaultMounted else {
      throw .usage("the vault is not mounted: nothing is started again over the bare directory", hint: nil)
    }
    try kind.checkOpen(tools)
    let places = configuration.services.indices.filter { names.contains(configuration.services[$0].name) }
    return try runOpen(start: true, only: Set(places))
  }

  /// What fails before anything has begun is an unlock that failed, too.
  private func noted<Value>(
    _ source: (any PassphraseSource)?, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    do {
      return try body()
    } catch {
      // What others than root write into the journal counts for nothing.
      if error.exitCode != .interrupted && geteuid() == 0 && !error.isMissingToken {
        let actor = JournalEvent.Actor(by: user, via: source?.kind ?? .none)
        tell(.unlockFailed(actor, JournalEvent.Run(seconds: 0, steps: []), error))
      }
      throw error
    }
  }

  private func emptyPassphrase() throws(Failure) -> SecretBytes {
    do { return try SecretBytes(capacity: 1) } catch { throw .system("\(error)") }
  }

  private func makeVault(_ device: String?) -> HostVault {
    HostVault(configuration: configuration, kind: kind, tools: tools, device: device)
  }

  private func makeRun(_ vault: HostVault, only: Set<Int>? = nil, byToken: Bool = false) -> UnlockSequence {
    let others = HostOtherVault.all(configuration, tools)
    for other in others { other.opensByToken = byToken }
    return UnlockSequence(
      configuration: configuration, vault: vault, others: others,
      services: HostServices(
        configuration: configuration, units: units, worker: worker, mayRollBack: true),
      clock: HostClock(), only: only,
      report: { [self] progress in
        if progress == .undoing { units.reactor.stopListening() }
        note(phaseOf: progress)
        report(progress)
      })
  }

  /// The vault was closed when we looked.
  private func runClosed(
    _ run: UnlockSequence, _ passphrase: borrowing SecretBytes, source: any PassphraseSource, start: Bool
  ) throws(Failure) -> UnlockSummary {
    // The lock comes after the question: whoever only sits at a prompt blocks nobody.
    try locked { () throws(Failure) in
      let begun = Reactor.monotonic()
      let actor = JournalEvent.Actor(by: user, via: source.kind)
      // An empty one is never tried.
      if !passphrase.isEmpty || source.kind == .token { tell(.unlockBegun(actor)) }
      do throws(Failure) {
        try clearRemains()
        try run.open(passphrase)
        // Where another run was faster nobody has tried it.
        if run.steps.last?.outcome == .changed { record.attempts.accepted += 1 }
        try run.complete(start: start, passphrase)
      } catch .passphraseRefused(let tries, let empty, let carriageReturn) {
        record.attempts.refused += empty ? 0 : 1
        if !empty { tell(.passphraseRefused(actor, count: record.attempts.refused, delay: nil)) }
        finish()
        throw .passphraseRefused(tries: tries, empty: empty, endsInCarriageReturn: carriageReturn)
      } catch {
        finish(run, source: source.kind, begun: begun, failure: error)
        throw error
      }
      return finish(run, source: source.kind, begun: begun, failure: nil)
    }
  }

  /// Takes away what a vault that broke down has left: services that still run on it, whoever else uses it, its mount. Whatever they
  /// had not written is lost already.
  private func clearRemains() throws(Failure) {
    guard case .broken(let why) = try opening() else { return }
    report(.note("\(why): what is left of it is cleared away first"))
    let machine = HostEmergency(
      configuration: configuration, kind: kind, worker: worker, reactor: units.reactor, caller: getppid())
    do {
      try EmergencySequence(configuration: configuration, machine: machine, clock: HostClock(), report: report).clear()
    } catch .emergency(of: .inUse(let use, _), _) {
      // Detached from the mount point it is in nobody's way.
      warn("still open from before, and of no use any more: " + use.lines(limit: 3).joined(separator: "; "))
    }
  }

  /// The vault is open, and a passphrase is there for further ones.
  private func runOpen(
    start: Bool, _ passphrase: borrowing SecretBytes, via source: UnlockSource
  ) throws(Failure) -> UnlockSummary {
    try locked { () throws(Failure) in
      let begun = Reactor.monotonic()
      let run = makeRun(makeVault(nil))
      let actor = JournalEvent.Actor(by: user, via: source)
      do throws(Failure) {
        if !passphrase.isEmpty { tell(.unlockBegun(actor)) }
        try run.openOthers(passphrase)
        record.attempts.accepted += 1
        run.foundOpen()
        try run.complete(start: start)
      } catch .passphraseRefused(let tries, let empty, let carriageReturn) {
        record.attempts.refused += empty ? 0 : 1
        if !empty { tell(.passphraseRefused(actor, count: record.attempts.refused, delay: nil)) }
        finish()
        throw .passphraseRefused(tries: tries, empty: empty, endsInCarriageReturn: carriageReturn)
      } catch {
        finish(run, source: source, begun: begun, failure: error)
        throw error
      }
      return finish(run, source: source, begun: begun, failure: nil)
    }
  }

  /// The vault is open: what is missing is completed, and nobody is asked.
  /// - Parameter only: the services to start; nil: all.
  private func runOpen(start: Bool, only: Set<Int>? = nil) throws(Failure) -> UnlockSummary {
    try locked { () throws(Failure) in
      let begun = Reactor.monotonic()
      let run = makeRun(makeVault(nil), only: only)
      do throws(Failure) {
        run.foundOpen()
        try run.complete(start: start)
      } catch {
        finish(run, source: .none, begun: begun, failure: error)
        throw error
      }
      return finish(run, source: .none, begun: begun, failure: nil)
    }
  }

  private func locked(_ body: () throws(Failure) -> UnlockSummary) throws(Failure) -> UnlockSummary {
    try directory.withLock { () throws(Failure) in
      // Another run may have been here while the question stood.
      record = freshRecord()
      record.busy = BusyRecord(pid: getpid(), verb: verb, by: user, phase: .opening, since: Reactor.wall())
      store()
      return try body()
    }
  }

  private func note(phaseOf progress: Progress) {
    let phase: BootState
    switch progress {
    case .began(.open), .began(.openVault): phase = .opening
    case .began(.mount), .began(.mountVault), .began(.bind): phase = .mounting
    case .began(.check): phase = .verifying
    case .began(.service), .began(.prepare): phase = .starting
    case .undoing: phase = .locking
    default: return
    }
    // Checks go on while services start: the later phase is the one to name.
    guard record.busy?.phase != phase, !(record.busy?.phase == .starting && phase == .verifying) else { return }
    record.busy?.phase = phase
    store()
  }

  private func finish() {
    record.busy = nil
    store()
  }

  @discardableResult
  private func finish(_ run: UnlockSequence, source: UnlockSource, begun: Double, failure: Failure?) -> UnlockSummary {
    let seconds = Reactor.monotonic() - begun
    record.busy = nil
    record.checks = run.verdicts.records
    record.probes.merge(run.probes) { $1 }
    // A run that found everything as it should be unlocked nothing.
    if source != .none || run.steps.contains(where: { $0.outcome != .unchanged }) {
      record.lastUnlock = UnlockRecord(at: Reactor.wall(), by: user, via: source, seconds: seconds, steps: run.steps)
      let actor = JournalEvent.Actor(by: user, via: source)
      let how = JournalEvent.Run(seconds: seconds, steps: run.steps)
      tell(failure.map { .unlockFailed(actor, how, $0) } ?? .unlockFinished(actor, how))
    }
    if run.rolledBack && !isOpen { record.lockedSince = Reactor.wall() }
    store()
    return UnlockSummary(
      source: source, seconds: seconds, steps: run.steps, checks: run.verdicts.records, closed: run.closed)
  }

  private func store() {
    do { try directory.store(record) } catch { warn(error.summary) }
  }
}

extension Failure {
  /// A vault without a token is the usual one, and nothing has failed.
  fileprivate var isMissingToken: Bool {
    if case .vault(let failure, _) = self {
      failure.kind == .noToken && failure.detail == "there is none"
    } else {
      false
    }
  }
}
