import Testing

@testable import MailbootCore

/// When a service that went down is started again, with a clock on paper.
struct RecoveryTests {
  private static let dovecot = 2
  private static let postfix = 3

  private var recovery = Recovery()
  private var host = StatusFixture()

  private mutating func look(at now: Double) { recovery.look(host.report, at: now) }

  init() {
    host.record?.lastUnlock = nil
    look(at: 0)
  }

  @Test mutating func whatKeepsFailingIsTriedAfter5And30And120AndThenEvery600Seconds() {
    host.set(Self.dovecot, "failed", "failed")
    var now = 100.0
    for wanted in [5.0, 30, 120, 600, 600, 600] {
      look(at: now)
      #expect(recovery.due == now + wanted)
      // Another look changes nothing.
      look(at: now + 1)
      #expect(recovery.begin(at: now + wanted - 0.1) == [])
      now += wanted
      #expect(recovery.begin(at: now) == ["dovecot"])
      #expect(recovery.due == nil)
    }
  }

  @Test mutating func oneThatDiesAMomentAfterEachStartIsTriedLessAndLessOften() {
    var now = 100.0
    for wanted in [5.0, 30, 120, 600, 600] {
      host.set(Self.dovecot, "failed", "failed")
      look(at: now)
      #expect(recovery.due == now + wanted)
      now += wanted
      _ = recovery.begin(at: now)
      host.set(Self.dovecot, "active", "running")
      look(at: now + 1)
      now += 20
    }
  }

  @Test mutating func oneThatHasRunForLongIsTriedAtTheFirstPaceAgain() {
    host.set(Self.dovecot, "failed", "failed")
    look(at: 100)
    _ = recovery.begin(at: 105)
    host.set(Self.dovecot, "active", "running")
    look(at: 106)
    host.set(Self.dovecot, "failed", "failed")
    look(at: 137)
    #expect(recovery.due == 142)
  }

  @Test mutating func eachServiceHasATimeOfItsOwn() {
    host.set(Self.dovecot, "failed", "failed")
    look(at: 100)
    _ = recovery.begin(at: 105)
    look(at: 106)
    host.set(Self.postfix, "failed", "failed")
    look(at: 110)
    #expect(recovery.begin(at: 115) == ["postfix"])
    #expect(recovery.due == 136)
    #expect(recovery.isWaiting(for: "dovecot") && !recovery.isWaiting(for: "postfix"))
  }

  @Test mutating func whatElseIsWrongWithTheHostHoldsUpNoRecovery() {
    // Errors of the file system stay counted until it is checked.
    host.observation?.mount?.errors = 3
    look(at: 50)
    host.set(Self.dovecot, "failed", "failed")
    look(at: 100)
    #expect(recovery.due == 105)
  }

  @Test mutating func whatSomebodyStoppedIsLeftAlone() {
    host.set(Self.dovecot, "inactive", "dead")
    look(at: 100)
    #expect(recovery.due == nil)
    host.set(Self.postfix, "failed", "failed")
    look(at: 101)
    #expect(recovery.begin(at: 1000) == ["postfix"])
  }

  @Test func whatNeverAnsweredIsNotOursToStart() {
    var host = StatusFixture()
    host.record?.lastUnlock = nil
    host.set(Self.dovecot, "failed", "failed")
    var recovery = Recovery()
    recovery.look(host.report, at: 0)
    #expect(recovery.due == nil)
  }

  @Test func whatTheUnlockBroughtUpIsKnownToAServiceThatWasStartedAnew() {
    var host = StatusFixture()
    host.set(Self.dovecot, "failed", "failed")
    host.record?.lastUnlock = UnlockRecord(
      at: 1, by: "root", via: .terminal, seconds: 2,
      steps: [StepRecord(name: "dovecot", outcome: .changed, seconds: 1)])
    var recovery = Recovery()
    recovery.look(host.report, at: 0)
    #expect(recovery.due == 5)
  }

  @Test mutating func whatWentDownWithTheMountComesBackWithIt() {
    let mount = host.observation?.mount
    host.observation?.mount = nil
    look(at: 100)
    for service in [Self.dovecot, Self.postfix] { host.set(service, "inactive", "dead") }
    look(at: 101)
    #expect(recovery.due == nil, "nothing starts over the bare directory")
    host.observation?.mount = mount
    look(at: 200)
    #expect(recovery.begin(at: 205) == ["dovecot", "postfix"])
  }

  @Test mutating func whoStopsUnmountsChecksAndMountsAgainIsLeftAlone() {
    let mount = host.observation?.mount
    for service in host.configuration.services.indices { host.set(service, "inactive", "dead") }
    look(at: 100)
    host.observation?.mount = nil
    look(at: 110)
    host.observation?.mount = mount
    look(at: 200)
    #expect(recovery.due == nil)
  }

  @Test mutating func aVaultThatWasClosedIsForgotten() {
    host.observation?.opening = .closed
    look(at: 100)
    host = StatusFixture()
    host.record?.lastUnlock = nil
    host.set(Self.dovecot, "failed", "failed")
    look(at: 200)
    #expect(recovery.due == nil)
  }

  @Test mutating func whileARunIsAtWorkNothingIsJudged() {
    host.set(Self.dovecot, "failed", "failed")
    host.busy(.starting)
    look(at: 100)
    #expect(recovery.due == nil)
  }
}
