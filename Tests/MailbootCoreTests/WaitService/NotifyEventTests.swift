import JSON
import MailbootCore
import Testing

/// What an executable in `notify.d` is told.
struct NotifyEventTests {
  private func environment(_ event: NotifyEvent, after seconds: Double = 60) -> [String: String] {
    let pairs = event.environment(now: StatusFixture.noon + seconds).map { line in
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts[1]))
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }

  @Test func aChangeNamesBothStates() {
    var fixture = StatusFixture()
    fixture.set(2, "failed", "failed")
    #expect(
      environment(NotifyEvent(.change, previousState: .ready, report: fixture.report)) == [
        "MAILBOOT_EVENT": "change", "MAILBOOT_STATE": "degraded", "MAILBOOT_PREVIOUS_STATE": "ready",
        "MAILBOOT_HOST": "mail", "MAILBOOT_SINCE": "",
        "MAILBOOT_SUMMARY": "mail: degraded: dovecot.service is failed (failed)",
        "MAILBOOT_REASON": "dovecot.service is failed (failed)",
      ])
  }

  @Test func aReminderSaysHowLong() {
    let event = NotifyEvent(.reminder, previousState: .locked, report: StatusFixture.lockedHost.report)
    #expect(
      environment(event, after: 7000) == [
        "MAILBOOT_EVENT": "reminder", "MAILBOOT_STATE": "locked", "MAILBOOT_PREVIOUS_STATE": "locked",
        "MAILBOOT_HOST": "mail", "MAILBOOT_SINCE": "2026-11-22T14:50:00Z",
        "MAILBOOT_SUMMARY": "mail: locked for 2 h: mail waits for the passphrase", "MAILBOOT_REASON": "",
      ])
  }

  @Test func afterTheBootThereIsNoPreviousState() {
    let event = NotifyEvent(.change, previousState: nil, report: StatusFixture.lockedHost.report)
    #expect(environment(event)["MAILBOOT_PREVIOUS_STATE"] == "")
  }

  @Test func aFailedUnlockSaysWhatHappened() {
    let event = NotifyEvent(
      .failed, previousState: .verifying, report: StatusFixture.lockedHost.report,
      failure: "the check \"database\" failed:\nit is damaged\u{1b}[0m")
    let found = environment(event)
    #expect(found["MAILBOOT_REASON"] == "the check \"database\" failed: it is damaged?[0m")
    #expect(
      found["MAILBOOT_SUMMARY"]
        == "mail: locked for 11 min: mail waits for the passphrase; the unlock failed: "
        + "the check \"database\" failed: it is damaged?[0m")
  }

  @Test func theInputIsTheStatusAsJSON() {
    let report = StatusFixture().report
    let event = NotifyEvent(.change, previousState: nil, report: report)
    #expect(event.input == report.json().rendered() + "\n")
  }
}
