import MailbootCore
import Testing

/// From what is observed, and what the last run left, to one word.
struct StatusStateTests {
  @Test func aHostInOrderIsReadySinceItsLastServiceCameUp() {
    var fixture = StatusFixture()
    fixture.observation?.services?[2].activeSince = StatusFixture.noon + 30
    let report = fixture.report
    #expect(report.state == .ready)
    #expect(report.since == StatusFixture.noon + 30)
    #expect(report.reasons.isEmpty)
    #expect(report.vault.device == "/dev/vdb")
    #expect(report.vault.uuid == "01234567-89ab-cdef-0123-456789abcdef")
    #expect(report.vault.open && report.vault.mounted)
    #expect(report.state.statusExitCode == 0)
  }

  @Test func withoutAMappingItIsLockedSinceTheBoot() {
    let report = StatusFixture.lockedHost.report
    #expect(report.state == .locked)
    #expect(report.since == StatusFixture.noon - 600)
    #expect(!report.vault.open && !report.vault.mounted)
    #expect(report.vault.uuid == nil && report.vault.sizeBytes == nil)
    // What was true of an open vault is not said of a closed one.
    #expect(report.checks.isEmpty)
    #expect(report.state.statusExitCode == 2)
  }

  @Test func afterARollbackItIsLockedSinceThenAndTheLastUnlockNamesTheStep() {
    var fixture = StatusFixture.lockedHost
    fixture.record?.lockedSince = StatusFixture.noon + 9
    fixture.record?.lastUnlock = UnlockRecord(
      at: StatusFixture.noon + 9, by: "root", via: .terminal, seconds: 4,
      steps: [StepRecord(name: "check database", outcome: .failed, seconds: 1)])
    let report = fixture.report
    #expect(report.state == .locked)
    #expect(report.since == StatusFixture.noon + 9)
    #expect(report.lastUnlock?.steps.last?.name == "check database")
  }

  @Test(arguments: [BootState.opening, .mounting, .verifying, .starting, .locking])
  func whileARunHoldsTheLockItsPhaseIsTheState(_ phase: BootState) {
    for var fixture in [StatusFixture(), StatusFixture.lockedHost] {
      fixture.busy(phase)
      let report = fixture.report
      #expect(report.state == phase)
      #expect(report.since == StatusFixture.noon - 5)
      #expect(report.busy?.pid == 42)
      #expect(report.state.statusExitCode == 4)
    }
  }

  @Test func aPhaseThatARunLeftBehindWhenItWasKilledDoesNotCount() {
    var fixture = StatusFixture()
    fixture.busy(.starting)
    fixture.locked = false
    #expect(fixture.report.state == .ready)
    #expect(fixture.report.busy == nil)
  }

  @Test func aLockWithNoPhaseSaysNothing() {
    var fixture = StatusFixture()
    fixture.locked = true
    #expect(fixture.report.state == .ready)
    fixture.record = nil
    #expect(fixture.report.state == .ready)
  }

  @Test func theRecordOfAnotherBootDoesNotCount() {
    var fixture = StatusFixture()
    fixture.busy(.starting)
    fixture.record?.bootID = "another"
    fixture.record?.checks[0].result = .fail
    fixture.record?.probes["postfix"]?.answered = false
    let report = fixture.report
    #expect(report.state == .ready)
    #expect(report.checks.isEmpty)
    #expect(report.lastUnlock == nil && report.busy == nil)
    #expect(report.services.allSatisfy { $0.probedAt == nil && $0.detail == nil })
  }

  @Test func withoutSysfsItIsUnknown() {
    var fixture = StatusFixture()
    fixture.observation = nil
    fixture.trouble = ["/sys is not mounted"]
    fixture.busy(.starting)
    let report = fixture.report
    #expect(report.state == .unknown)
    #expect(report.since == nil)
    #expect(report.reasons == ["/sys is not mounted"])
    #expect(report.services.map(\.name) == fixture.configuration.services.map(\.name))
    #expect(report.state.statusExitCode == 1)
  }

  @Test(arguments: [false, true])
  func withoutTheBusItIsUnknown(_ isLocked: Bool) {
    var fixture = isLocked ? StatusFixture.lockedHost : StatusFixture()
    fixture.observation?.services = nil
    fixture.trouble = ["systemd cannot be reached: no such file"]
    let report = fixture.report
    #expect(report.state == .unknown)
    // What can be seen is still said.
    #expect(report.vault.open == !isLocked)
    #expect(report.services.allSatisfy { !$0.ready && $0.units.isEmpty })
  }

  @Test func everyStateHasItsExitCode() {
    #expect(BootState.allCases.map(\.statusExitCode) == [2, 4, 4, 4, 4, 4, 3, 0, 1])
  }
}
