import JSON
import MailbootCore
import Testing

/// Checks that the service makes between two unlocks.
struct LatestChecksTests {
  private func report(_ checks: [CheckRecord], boot: String = StatusFixture.bootID) -> StatusReport {
    let fixture = StatusFixture()
    var input = StatusInput(
      configuration: fixture.configuration, observation: fixture.observation, record: fixture.record, locked: false,
      host: "mail", bootID: StatusFixture.bootID, bootedAt: 0, trouble: [])
    var service = WaitServiceRecord(bootID: boot)
    service.checks = checks
    input.service = service
    return StatusReport(input)
  }

  private func expiry(_ result: CheckResult, at time: Double) -> CheckRecord {
    CheckRecord(name: .certificateExpiry, result: result, detail: "seen", hint: nil, at: time)
  }

  @Test func theYoungerVerdictCounts() {
    let later = report([expiry(.warn, at: StatusFixture.noon + 86400)])
    #expect(later.checks.filter { $0.result == .warn }.map(\.name) == [.certificateExpiry])
    #expect(later.checks.count == CheckName.allCases.count && later.state == .ready)
    #expect(later.prometheus(version: "1").contains("mailboot_check_failed{check=\"certificate-expiry\"} 1\n"))
    #expect(report([expiry(.warn, at: StatusFixture.noon - 1)]).checks.allSatisfy { $0.result == .pass })
    #expect(report([expiry(.warn, at: StatusFixture.noon + 1)], boot: "other").checks.allSatisfy { $0.result == .pass })
    #expect(report([expiry(.fail, at: StatusFixture.noon + 1)]).state == .degraded)
  }

  @Test func itsRecordReadsBackAsTheSame() throws {
    var record = WaitServiceRecord(bootID: "b")
    record.checks = [expiry(.warn, at: 5)]
    #expect(WaitServiceRecord(json: record.json()) == record)
  }

  /// Somebody else has opened the vault, or a service is down: then `status` names the command.
  @Test func whatCanBeCompletedIsKnown() {
    var fixture = StatusFixture()
    #expect(!fixture.report.canBeCompleted)
    fixture.observation?.mount = nil
    #expect(fixture.report.canBeCompleted && !fixture.report.needsPassphrase)
    fixture = StatusFixture()
    fixture.set(1, "failed", "failed")
    #expect(fixture.report.canBeCompleted)
    fixture = StatusFixture()
    fixture.record?.checks[3].result = .fail
    #expect(fixture.report.state == .degraded && !fixture.report.canBeCompleted)
    #expect(!StatusFixture.lockedHost.report.canBeCompleted && StatusFixture.lockedHost.report.needsPassphrase)
  }
}
