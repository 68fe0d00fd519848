import MailbootCore
import Testing

/// Everything between open and ready.
struct StatusDegradedTests {
  /// One thing wrong on a host in order, and the reason that is given.
  struct Shortcoming: Sendable, CustomTestStringConvertible {
    var change: @Sendable (inout StatusFixture) -> Void
    var reason: String
    var testDescription: String { reason }
  }

  static let shortcomings: [Shortcoming] = [
    Shortcoming(
      change: { $0.observation?.mount = nil },
      reason: "the vault is open but not mounted on /vault: `mailboot` mounts it and completes what is missing"),
    Shortcoming(
      change: { $0.observation?.mount = MountStatus(device: "8:1", source: "/dev/sda1", filesystem: "ext4") },
      reason: "/vault holds /dev/sda1, not the vault"),
    Shortcoming(
      change: {
        $0.observation?.opening = .open(OpenVault(device: "254:0", flaws: ["the disk below the open vault is gone"]))
      },
      reason: "the disk below the open vault is gone"),
    Shortcoming(
      change: { $0.observation?.mount?.isReadOnly = true }, reason: "/vault can only be read: no mail can be stored"),
    Shortcoming(
      change: { $0.observation?.mount?.errors = 2 },
      reason: "the file system on /vault has errors (2 seen by the kernel): see `journalctl -k`, then have it checked"),
    Shortcoming(
      change: {
        $0.configuration.binds = configurationWithBinds().binds
        $0.observation?.bindsMounted = [true, false]
      }, reason: "/vault/lists is not mounted on /var/lib/lists"),
    Shortcoming(
      change: {
        $0.record?.checks[1].result = .fail
        $0.record?.checks[1].detail = "integrity_check: row missing"
      }, reason: "database: integrity_check: row missing"),
    Shortcoming(change: { $0.set(3, "inactive", "dead") }, reason: "postfix.service is inactive (dead)"),
    Shortcoming(change: { $0.set(1, "activating", "start") }, reason: "rspamd.service is activating (start)"),
    Shortcoming(change: { $0.set(1, "failed", "failed") }, reason: "rspamd.service is failed (failed)"),
    Shortcoming(
      change: {
        $0.observation?.services?[3].units.append(
          UnitStatus(unit: "postfix@-.service", activeState: "failed", subState: "failed"))
      }, reason: "postfix@-.service is failed (failed)"),
    Shortcoming(
      change: {
        $0.record?.probes["postfix"] = ProbeRecord(answered: false, detail: "refused", at: StatusFixture.noon + 1)
      },
      reason: "postfix does not answer: refused"),
    Shortcoming(
      change: { $0.doorIsLeftShut = true },
      reason: "a run that was killed has left the door shut, so that it cannot start again: `mailboot` opens it"),
    Shortcoming(change: { $0.observation?.services?[0].units = [] }, reason: "redis-server does not answer: no unit"),
  ]

  @Test(arguments: shortcomings)
  func oneThingWrongMakesItDegradedAndIsNamed(_ shortcoming: Shortcoming) {
    var fixture = StatusFixture()
    shortcoming.change(&fixture)
    let report = fixture.report
    #expect(report.state == .degraded)
    #expect(report.reasons.contains(shortcoming.reason), "\(report.reasons)")
    #expect(report.state.statusExitCode == 3)
  }

  @Test func aWarningDoesNotDegrade() {
    var fixture = StatusFixture()
    fixture.record?.checks[4].result = .warn
    fixture.record?.checks[5].result = .skip
    #expect(fixture.report.state == .ready)
  }

  @Test(arguments: ["reloading", "refreshing"])
  func aUnitThatReloadsIsStillActive(_ state: String) {
    var fixture = StatusFixture()
    fixture.observation?.services?[2].units[0].activeState = state
    #expect(fixture.report.state == .ready)
  }

  @Test func aProbeOlderThanTheUnitsLastStartNoLongerCounts() {
    var fixture = StatusFixture()
    fixture.record?.probes["dovecot"] = ProbeRecord(answered: false, detail: "refused", at: StatusFixture.noon + 60)
    #expect(fixture.report.state == .degraded)
    fixture.observation?.services?[2].startedMicroseconds = UInt64((StatusFixture.noon + 61) * 1_000_000)
    let report = fixture.report
    #expect(report.state == .ready)
    #expect(report.services[2].ready)
    #expect(report.services[2].probedAt == nil && report.services[2].detail == nil)
    // The others keep theirs.
    #expect(report.services[3].probedAt == StatusFixture.noon + 60)
  }

  @Test func aServiceThatWasNeverProbedIsReadyWhenItsUnitsAreActive() {
    var fixture = StatusFixture()
    fixture.record = nil
    #expect(fixture.report.state == .ready)
    #expect(fixture.report.services.allSatisfy { $0.ready && $0.probedAt == nil })
  }

  @Test func theSizeOfAnotherFileSystemIsNotTheVaults() {
    var fixture = StatusFixture()
    fixture.observation?.mount?.device = "8:1"
    #expect(fixture.report.vault.sizeBytes == nil && fixture.report.vault.availableBytes == nil)
  }
}
