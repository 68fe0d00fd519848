import MailbootCore
import Testing

/// Taking back that fails itself, and not taking back at all.
struct RollbackTests {
  @Test func aFailedUndoCarriesBothFailuresAndGoesOnWithTheRest() throws {
    let machine = SimulatedMachine(configurationWithBinds())
    let cause = Failure.service(name: "postfix", .missing(unit: "postfix.service"))
    machine.serviceFailures["postfix"] = .missing(unit: "postfix.service")
    machine.failing["stop rspamd"] = .service(name: "rspamd", .notStopped(unit: "rspamd.service", result: "timeout"))
    let unlock = try SimulatedUnlock(machine)
    guard case .rollback(let of, let trouble)? = unlock.failure else {
      Issue.record("no rollback failure: \(String(describing: unlock.failure))")
      return
    }
    #expect(of == cause)
    #expect(unlock.failure?.exitCode == .service)
    #expect(!unlock.run.rolledBack)
    // What rspamd holds cannot be unmounted, what is mounted not be closed: each is said.
    #expect(
      trouble == [
        "stop rspamd: rspamd did not stop: rspamd.service: timeout",
        "unmount /vault: /vault could not be unmounted: target is busy",
        "close vault-blk: vault-blk is in use: it is mounted",
      ])
    #expect(machine.state == .init(open: true, mounted: true, binds: [], running: ["rspamd"]))
    let summary = try #require(unlock.failure?.summary)
    #expect(summary.hasPrefix(cause.summary + "; and taking it back failed: stop rspamd: "))
  }

  @Test func troubleIsShownWithTheStepItBelongsTo() throws {
    let machine = SimulatedMachine()
    machine.unsound = [.database]
    machine.failing["close"] = .vault(VaultFailure(.busy, "held"), device: "vault-blk")
    let unlock = try SimulatedUnlock(machine)
    let tail = unlock.progress.suffix(3)
    #expect(
      Array(tail) == [
        .undoing, .undone("unmount /vault", trouble: nil),
        .undone("close vault-blk", trouble: "vault-blk is in use: held"),
      ])
    #expect(unlock.failure?.exitCode == .verification)
  }

  @Test func onFailureLeaveTakesNothingBackAfterAFailedCheck() throws {
    var configuration = configurationWithBinds()
    configuration.unlock.onFailure = .leave
    let machine = SimulatedMachine(configuration)
    machine.unsound = [.database, .certificate]
    let unlock = try SimulatedUnlock(machine)
    guard case .verification(let records)? = unlock.failure else {
      Issue.record("\(String(describing: unlock.failure))")
      return
    }
    // With nothing to take back in a hurry the other checks are heard too.
    #expect(records.map(\.name) == [.database, .certificate])
    #expect(machine.state == .init(open: true, mounted: true, binds: [0, 1], running: []))
    #expect(!unlock.progress.contains(.undoing))
  }

  @Test func onFailureLeaveKeepsTheServicesThatCameUp() throws {
    var configuration = Configuration()
    configuration.unlock.onFailure = .leave
    let machine = SimulatedMachine(configuration)
    machine.serviceFailures["rspamd"] = .notStarted(unit: "rspamd.service", result: "failed", journal: [])
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure?.exitCode == .service)
    #expect(machine.state == .init(open: true, mounted: true, running: ["redis-server", "dovecot"]))
    #expect(machine.position("start postfix") == nil)
  }

  @Test func aVaultThatCannotBeMountedIsClosedAgainEvenWithOnFailureLeave() throws {
    var configuration = Configuration()
    configuration.unlock.onFailure = .leave
    let machine = SimulatedMachine(configuration)
    machine.failing["mount"] = .mount(.refused(result: "failed", journal: []), path: "/vault")
    #expect(try SimulatedUnlock(machine).failure?.exitCode == .mount)
    #expect(machine.state == .init())
  }

  @Test(arguments: [Configuration.OnFailure.lock, .leave])
  func whatStillGoesOnIsAbandonedBeforeAnythingIsTakenBack(_ policy: Configuration.OnFailure) throws {
    var configuration = Configuration()
    configuration.unlock.onFailure = policy
    let machine = SimulatedMachine(configuration)
    machine.serviceFailures["redis-server"] = .missing(unit: "redis-server.service")
    machine.seconds["start dovecot"] = 80
    _ = try SimulatedUnlock(machine)
    let abandoned = try #require(machine.position("abandon"))
    if let stopped = machine.log.firstIndex(where: { $0.hasPrefix("stop") }) { #expect(abandoned < stopped) }
    #expect(machine.position("ready dovecot") == nil)
    #expect(machine.state.running == (policy == .leave ? ["dovecot"] : []))
  }
}
