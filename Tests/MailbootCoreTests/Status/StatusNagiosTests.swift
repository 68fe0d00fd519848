import MailbootCore
import Testing

/// `status --format nagios`: one line, whatever is in it.
struct StatusNagiosTests {
  private func line(_ fixture: StatusFixture, after seconds: Double = 3 * 3600) -> String {
    fixture.report.nagios(now: StatusFixture.noon + seconds)
  }

  @Test func ready() {
    var fixture = StatusFixture()
    #expect(
      line(fixture)
        == "MAILBOOT OK - ready for 3 h, 4 of 4 services ready | state_seconds=10800s;;;0 services_ready=4;;;0;4 "
        + "checks_failed=0;;;0;11 vault_available=600B;;;0;1000 attempts_refused=0c;;;0")
    fixture.record?.checks[6] = CheckRecord(name: .freeSpace, result: .warn, detail: "3 % free", hint: nil, at: 0)
    #expect(
      line(fixture).hasPrefix("MAILBOOT OK - ready for 3 h, 4 of 4 services ready; warning: free-space: 3 % free | "))
    #expect(line(fixture).contains(" checks_failed=1;;;0;11 "))
  }

  @Test func lockedSaysHowLong() {
    var fixture = StatusFixture.lockedHost
    fixture.record?.attempts.refused = 2
    // It booted ten minutes before noon.
    #expect(
      line(fixture, after: 60)
        == "MAILBOOT CRITICAL - locked for 11 min: mail waits for the passphrase | state_seconds=660s;;;0 "
        + "services_ready=0;;;0;4 attempts_refused=2c;;;0")
    fixture.record?.lastUnlock = UnlockRecord(
      at: 0, by: "root", via: .stdin, seconds: 1, steps: [StepRecord(name: "mount", outcome: .failed, seconds: 1)])
    #expect(
      line(fixture, after: 60).hasPrefix(
        "MAILBOOT CRITICAL - locked for 11 min: mail waits for the passphrase; the last unlock failed at mount | "))
  }

  @Test func degradedSaysWhy() {
    var fixture = StatusFixture()
    fixture.set(2, "failed", "failed")
    fixture.record?.probes["postfix"] = ProbeRecord(answered: false, detail: "refused", at: StatusFixture.noon + 1)
    #expect(
      line(fixture).hasPrefix(
        "MAILBOOT CRITICAL - degraded: dovecot.service is failed (failed); postfix does not answer: refused | "
          + "services_ready=2;;;0;4 "))
  }

  @Test func busySaysWhoAndHowFar() {
    var fixture = StatusFixture()
    fixture.busy(.mounting)
    #expect(
      line(fixture, after: 7).hasPrefix(
        "MAILBOOT WARNING - mounting for 12 s, unlock by root, process 42 | state_seconds=12s;;;0 "))
  }

  @Test func unknownSaysWhatIsInTheWay() {
    var fixture = StatusFixture()
    fixture.observation = nil
    fixture.trouble = ["systemd cannot be reached"]
    #expect(line(fixture).hasPrefix("MAILBOOT UNKNOWN - unknown: systemd cannot be reached | "))
    #expect(!line(fixture).contains("services_ready"))
  }

  @Test(
    arguments: [
      (.ready, 0), (.opening, 1), (.mounting, 1), (.verifying, 1), (.starting, 1), (.locking, 1), (.degraded, 2),
      (.locked, 2), (.unknown, 3),
    ] as [(BootState, Int32)])
  func theExitCodeIsThatOfAPlugin(_ state: BootState, _ code: Int32) {
    #expect(state.nagiosStatus.rawValue == code)
  }

  @Test(arguments: ["a|b", "a\nb", "a\r\nb", "a\u{2028}b", "a\u{1b}[31mb", "a\u{0}b", "a\u{85}b"])
  func nothingFromOutsideBreaksTheLine(_ detail: String) {
    var fixture = StatusFixture()
    fixture.record?.checks[1] = CheckRecord(name: .database, result: .fail, detail: detail, hint: nil, at: 0)
    let found = line(fixture)
    #expect(found.split(omittingEmptySubsequences: false) { $0.isNewline }.count == 1)
    #expect(found.split(separator: "|", omittingEmptySubsequences: false).count == 2)
    #expect(found.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f && $0.value != 0x85 })
  }

  @Test func aLongTextIsCutAndKeepsItsNumbers() {
    var fixture = StatusFixture()
    fixture.record?.checks[1] = CheckRecord(
      name: .database, result: .fail, detail: String(repeating: "ü", count: 5000), hint: nil, at: 0)
    let found = line(fixture)
    #expect(found.utf8.count < 1000)
    #expect(found.contains("...") && found.hasSuffix(" attempts_refused=0c;;;0"))
  }

  @Test func aStatusThatCannotBeTakenIsUnknown() {
    #expect(
      StatusReport.nagiosUnknown("mailboot.toml:3:1:\nno | such key")
        == "MAILBOOT UNKNOWN - mailboot.toml:3:1: no / such key")
  }

  @Test func whileTheServiceWaitsRefusedPassphrasesAreCounted() {
    var report = StatusFixture.lockedHost.report
    report.waiting = StatusReport.Waiting(since: StatusFixture.noon, seconds: 1, attemptsFailed: 3)
    #expect(report.summary(now: StatusFixture.noon) == "locked for 10 min: mail waits for the passphrase, 3 refused")
    var later = report
    later.waiting?.seconds = 2
    #expect(later.isSame(as: report))
    later.waiting?.attemptsFailed = 4
    #expect(!later.isSame(as: report))
  }

  @Test func whatMeansNothingIsNoChange() {
    let before = StatusFixture()
    var after = before
    after.observation?.mount?.availableBytes = 1
    after.record?.probes["postfix"]?.at += 60
    after.record?.checks[0].at += 60
    #expect(after.report != before.report && after.report.isSame(as: before.report))
    after.record?.probes["postfix"]?.detail = "421"
    #expect(!after.report.isSame(as: before.report))
  }
}
