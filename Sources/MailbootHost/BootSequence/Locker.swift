import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd
import Text

/// `mailboot lock`, from looking at the machine to locked.
public final class Locker {
  public struct Result {
    /// `unchanged`: it was locked already.
    public var outcome: StepOutcome
    public var seconds: Double
    public var steps: [StepRecord]
    /// Seconds from the beginning until the kernel had lost the key, in an emergency.
    public var keyGoneAfter: Double?
  }

  private let configuration: Configuration
  private let kind: any VaultKind
  private let reactor: Reactor
  private let directory: RuntimeDirectory
  private let verb: String
  private let unmountTimeout: Double?
  private let report: (Progress) -> Void
  private let warn: (String) -> Void
  private let begun = Reactor.monotonic()
  private let user: String
  private let tell: EventSink
  private let caller: Int32

  /// - Parameters:
  ///   - caller: the process of whoever asked: neither it nor the shell it was started from is ended.
  ///   - unmountTimeout: seconds one unmount may take; nil: as long as systemd lets it.
  ///   - tell: takes what happens, for the journal.
  ///   - report: shows progress.
  ///   - warn: says what is wrong but holds nothing up.
  public init(
    configuration: Configuration, reactor: Reactor, directory: RuntimeDirectory = RuntimeDirectory(),
    verb: String = "lock",
    user: String = invokingUser(), caller: Int32 = getppid(),
    unmountTimeout: Double? = nil, tell: @escaping EventSink = writeToJournal,
    report: @escaping (Progress) -> Void, warn: @escaping (String) -> Void
  ) {
    var configuration = configuration
    // What a move that was killed has left is as open as any other vault.
    if let left = VaultMove.remains(MountTable.current()) { configuration.otherVaults.append(left) }
    self.configuration = configuration
    kind = VaultKinds.make(configuration)
    self.reactor = reactor
    self.directory = directory
    self.verb = verb
    self.user = user
    self.caller = caller
    self.unmountTimeout = unmountTimeout
    self.tell = tell
    self.report = report
    self.warn = warn
  }

  private func opening() throws(Failure) -> Opening {
    try Observer(configuration, kind: kind).storage().opening
  }

  /// Whether there is nothing to lock.
  private func isAllClosed() throws(Failure) -> Bool {
    let seen = try Observer(configuration, kind: kind).storage()
    // What is always there is never closed, and counts only as the first one, for its services.
    return seen.opening == .closed
      && zip(configuration.otherVaults, seen.others).allSatisfy { !$0.kind.isEncrypted || $1.opening == .closed }
  }

  /// Stops, unmounts, closes.
  /// - Parameter kill: end the processes that use the vault and belong to no configured service.
  public func lock(kill: Bool) throws(Failure) -> Result {
    reactor.ignoreHangup()
    leaveTheVault()
    if try isAllClosed() { return unchanged() }
    let worker = try Worker()
    let tools = VaultTools(
      worker: worker, units: try UnitControl(reactor: reactor), mountTimeout: unmountTimeout, deviceTimeout: 0,
      warn: warn)
    try refuseAnotherDevice(tools)
    return try directory.withLock { () throws(Failure) in
      // Another run may have been faster.
      if try isAllClosed() { return unchanged() }
      if case .broken = try opening() { return try clearRemains(worker) }
      noteBegin()
      tell(.lockBegun(by: user, emergency: false))
      let run = LockSequence(
        configuration: configuration,
        vault: HostVault(configuration: configuration, kind: kind, tools: tools, device: nil),
        others: HostOtherVault.all(configuration, tools, caller: caller),
        services: HostServices(configuration: configuration, units: tools.units, worker: worker, mayRollBack: false),
        users: UsersOfAllVaults(configuration, units: tools.units, caller: caller),
        clock: HostClock(),
        report: { [self] progress in
          if progress == .undoing { reactor.stopListening() }
          report(progress)
        })
      do throws(Failure) {
        try run.lock(kill: kill)
      } catch {
        finish()
        tell(.lockFailed(by: user, emergency: false, how(run.steps), error))
        throw error
      }
      finish(done: true)
      tell(.lockFinished(by: user, emergency: false, how(run.steps)))
      return Result(
        outcome: .changed, seconds: Reactor.monotonic() - begun, steps: run.steps, keyGoneAfter: nil)
    }
  }

  /// What broke down is cleared away by force: there is no key any more, and nothing left to lose.
  private func clearRemains(_ worker: Worker) throws(Failure) -> Result {
    noteBegin()
    tell(.lockBegun(by: user, emergency: false))
    let run = emergency(worker)
    let trouble = clear(run)
    finish()
    if let trouble {
      tell(.lockFailed(by: user, emergency: false, how(run.steps), trouble))
      throw trouble
    }
    tell(.lockFinished(by: user, emergency: false, how(run.steps)))
    return Result(
      outcome: .changed, seconds: Reactor.monotonic() - begun, steps: run.steps, keyGoneAfter: nil)
  }

  /// Takes the key away, then clears up, whatever is in the way. Another run is not waited for: it is told to end, and ended.
  public func lockInEmergency() throws(Failure) -> Result {
    // From here on nothing stops it: neither Ctrl-C nor the end of the terminal that it may bring about itself.
    reactor.stopListening()
    let worker = try Worker()
    let run = emergency(worker)
    var keyGoneAfter: Double?
    let found = try isThereInEmergency()
    if found {
      run.revoke()
      if run.isKeyGone { keyGoneAfter = Reactor.monotonic() - begun }
    }
    leaveTheVault()
    let others = LockHolder(directory: directory, reactor: reactor)
    let other = others.holder()
    if let other {
      warn("another run was busy with the vault (process \(other)): it is ended, not waited for")
      others.request(other)
    }
    guard found || other != nil else { return unchanged() }
    noteBegin()
    // Not before the key is gone: the journal may be slow.
    tell(.lockBegun(by: user, emergency: true))
    if let keyGoneAfter {
      tell(.keyRevoked(by: user, seconds: keyGoneAfter))
      report(
        .note(
          "the key was gone after \(decimal(keyGoneAfter, places: 2)) s;"
            + " what had not been written to the disk by then is lost"))
    }
    var trouble = clear(run)
    if other != nil {
      do throws(Failure) { try others.awaitEnd() } catch { warn(error.summary) }
      // It may have opened the vault just then, or have been in the way of closing it.
      if try isThereInEmergency() {
        run.revoke()
        trouble = clear(run)
      }
    }
    finish()
    if let trouble {
      tell(.lockFailed(by: user, emergency: true, how(run.steps), trouble))
      throw trouble
    }
    tell(.lockFinished(by: user, emergency: true, how(run.steps)))
    return Result(
      outcome: .changed, seconds: Reactor.monotonic() - begun, steps: run.steps, keyGoneAfter: keyGoneAfter)
  }

  private func emergency(_ worker: Worker) -> EmergencySequence {
    let others = configuration.otherVaults.map { vault -> (mount: String, machine: any EmergencyPort) in
      let seen = configuration.seen(from: vault)
      return (
        vault.mount,
        HostEmergency(
          configuration: seen, kind: VaultKinds.make(seen), worker: worker, reactor: reactor, caller: caller)
      )
    }
    let machine = HostEmergency(
      configuration: configuration, kind: kind, worker: worker, reactor: reactor, caller: caller)
    return EmergencySequence(
      configuration: configuration, machine: machine, others: others, clock: HostClock(), report: report)
  }

  /// One that cannot be looked at keeps none of the others open.
  private func isThereInEmergency() throws(Failure) -> Bool {
    var found = false
    var trouble: Failure?
    let others = zip(configuration.otherVaults, VaultKinds.others(configuration)).filter { $0.0.kind.isEncrypted }
    for kind in others.map(\.1) + [kind] {
      do throws(Failure) {
        if try kind.isThereInEmergency() { found = true }
      } catch {
        trouble = trouble ?? error
      }
    }
    if !found, let trouble { throw trouble }
    return found
  }

  private func how(_ steps: [StepRecord]) -> JournalEvent.Run {
    JournalEvent.Run(seconds: Reactor.monotonic() - begun, steps: steps)
  }

  private func clear(_ run: EmergencySequence) -> Failure? {
    do throws(Failure) {
      try run.clear()
      return nil
    } catch {
      return error
    }
  }

  /// Whoever called us from inside the vault would find us in the way.
  private func leaveTheVault() {
    if chdir("/") != 0 { warn("cannot leave the current directory: \(errnoText())") }
  }

  private func unchanged() -> Result {
    Result(outcome: .unchanged, seconds: Reactor.monotonic() - begun, steps: [], keyGoneAfter: nil)
  }

  /// A mapping of our name on another device is not ours to close. A device that is gone is no reason to leave it open.
  private func refuseAnotherDevice(_ tools: VaultTools) throws(Failure) {
    for kind in [kind] + VaultKinds.others(configuration) {
      do {
        try kind.checkOpen(tools)
      } catch .vault(let failure, let device) where failure.kind == .nameTaken {
        throw .vault(failure, device: device)
      } catch .interrupted(let signal) {
        throw .interrupted(signal: signal)
      } catch {
        warn(error.summary)
      }
    }
  }

  private func noteBegin() {
    do {
      try directory.prepare()
      try keep {
        $0.busy = BusyRecord(pid: getpid(), verb: verb, by: user, phase: .locking, since: Reactor.wall())
      }
    } catch {
      warn(error.summary)
    }
  }

  /// The run is over: this is the one place where a lock's end becomes known.
  /// - Parameter done: whether all was done; what is always there is never closed.
  private func finish(done: Bool = false) {
    let isLocked = done || (try? isAllClosed()) == true
    do {
      try keep { record in
        record.busy = nil
        guard isLocked else { return }
        record.checks = []
        record.probes = [:]
        record.lockedSince = Reactor.wall()
        // What a killed run has left would keep postfix from being started by hand.
        DoorHold.clear()
        VerifiedStamp().remove()
      }
    } catch {
      warn(error.summary)
    }
  }

  private func keep(_ change: (inout LastResults) -> Void) throws(Failure) {
    let boot = bootID()
    var record = directory.record().flatMap { $0.bootID == boot ? $0 : nil } ?? LastResults(bootID: boot)
    change(&record)
    try directory.store(record)
  }
}
