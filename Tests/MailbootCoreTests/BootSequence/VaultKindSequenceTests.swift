import MailbootCore
import SecretMemory
import Testing

/// The same sequences over every kind of vault: one that is mapped and mounted, one that opening mounts, one that is always there.
struct VaultKindSequenceTests {
  private static let kinds = SimulatedMachine.Kind.allCases
  private static let ready = SimulatedMachine.State(
    open: true, mounted: true, binds: [0, 1], running: ["redis-server", "rspamd", "dovecot", "postfix"])

  private func lock(_ machine: SimulatedMachine) -> (run: LockSequence, failure: Failure?) {
    let run = LockSequence(
      configuration: machine.configuration, vault: machine, services: machine, users: machine, clock: machine,
      report: { _ in })
    do throws(Failure) {
      try run.lock(kill: false)
      return (run, nil)
    } catch {
      return (run, error)
    }
  }

  private func readyMachine(_ kind: SimulatedMachine.Kind) throws -> SimulatedMachine {
    let machine = SimulatedMachine(configurationWithBinds(), kind: kind)
    #expect(try SimulatedUnlock(machine).failure == nil)
    #expect(machine.state == Self.ready)
    return machine
  }

  @Test(arguments: kinds)
  func anUnlockEndsReadyAndALockWhereItBegan(_ kind: SimulatedMachine.Kind) throws {
    let before = SimulatedMachine(kind: kind).state
    let machine = try readyMachine(kind)
    let locked = lock(machine)
    #expect(locked.failure == nil)
    #expect(machine.state == before)
    // What there was to do differs; what the steps are called does not.
    #expect(
      locked.run.steps.map(\.name) == [
        "users of the vault", "stop postfix", "stop dovecot", "stop rspamd", "stop redis-server",
        "unmount /var/lib/lists", "unmount /var/www/private", "unmount /vault", "close vault-blk",
      ])
  }

  @Test func openingWhatMountsItselfLeavesNothingToMount() throws {
    let unlock = try SimulatedUnlock(SimulatedMachine(kind: .shown))
    let outcomes = Dictionary(uniqueKeysWithValues: unlock.run.steps.map { ($0.name, $0.outcome) })
    #expect(outcomes["open"] == .changed && outcomes["mount"] == .unchanged)
  }

  @Test func whatIsAlwaysThereIsNeitherOpenedNorMounted() throws {
    let unlock = try SimulatedUnlock(SimulatedMachine(kind: .always))
    let outcomes = Dictionary(uniqueKeysWithValues: unlock.run.steps.map { ($0.name, $0.outcome) })
    #expect(outcomes["open"] == .unchanged && outcomes["mount"] == .unchanged)
  }

  /// Everything an unlock does that may fail.
  private static let faults: [(name: String, prepare: @Sendable (SimulatedMachine) -> Void)] =
    ["mount", "bind 0", "bind 1"].map { operation in
      (operation, { @Sendable in $0.failing[operation] = .mount(.refused(result: "failed", journal: []), path: "/x") })
    }
    + CheckName.allCases.filter { Configuration().verify.severity(of: $0) == .require }.map { check in
      ("check \(check.rawValue)", { @Sendable in $0.unsound = [check] })
    }
    + Configuration().services.map { service in
      (service.name, { @Sendable in $0.serviceFailures[service.name] = .missing(unit: service.name) })
    }

  @Test(arguments: kinds, faults.indices)
  func whateverFailsTheMachineIsBackWhereItWas(_ kind: SimulatedMachine.Kind, _ index: Int) throws {
    let fault = Self.faults[index]
    let machine = SimulatedMachine(configurationWithBinds(), kind: kind)
    let before = machine.state
    fault.prepare(machine)
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure != nil, "\(fault.name)")
    if case .rollback? = unlock.failure { Issue.record("\(fault.name): \(String(describing: unlock.failure))") }
    #expect(machine.state == before, "\(fault.name)")
  }

  @Test(arguments: kinds, ["look", "stop postfix", "stop redis-server", "unbind 1", "unbind 0", "unmount"])
  func aLockThatFailsBeforeTheVaultIsGoneBringsEverythingBack(
    _ kind: SimulatedMachine.Kind, _ operation: String
  ) throws {
    let machine = try readyMachine(kind)
    machine.failing[operation] = .system("broken")
    let locked = lock(machine)
    #expect(locked.failure?.exitCode == .failure)
    #expect(machine.state == Self.ready)
  }

  /// Without the passphrase there is no way back behind an unmount that has closed the vault.
  @Test func nothingIsStartedOverAMountPointThatStaysEmpty() throws {
    let machine = try readyMachine(.shown)
    machine.failing["close"] = .system("the bus is gone")
    let locked = lock(machine)
    guard case .rollback(let cause, let trouble)? = locked.failure else {
      Issue.record("\(String(describing: locked.failure))")
      return
    }
    #expect(cause == .system("the bus is gone"))
    #expect(trouble.first == "mount /vault: mount: the vault is closed")
    #expect(trouble.last == "the services stay stopped: they would run over an empty directory")
    #expect(machine.state == .init())
  }
}
