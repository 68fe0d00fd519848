import MailbootCore
import Testing

/// `status --format prometheus`, letter by letter, and that it is what Prometheus reads.
struct StatusPrometheusTests {
  @Test func aReadyHost() {
    var fixture = StatusFixture()
    fixture.record?.checks = [
      CheckRecord(name: .database, result: .pass, detail: "", hint: nil, at: 0),
      CheckRecord(name: .dkim, result: .skip, detail: "", hint: nil, at: 0),
      CheckRecord(name: .freeSpace, result: .warn, detail: "", hint: nil, at: 0),
    ]
    fixture.record?.attempts = AttemptCount(accepted: 1, refused: 3)
    fixture.record?.lastUnlock = UnlockRecord(
      at: StatusFixture.noon + 61.25, by: "root", via: .terminal, seconds: 12,
      steps: [
        StepRecord(name: "open", outcome: .changed, seconds: 2.5),
        StepRecord(name: "mount", outcome: .unchanged, seconds: 0),
        StepRecord(name: "open", outcome: .changed, seconds: 1),
      ])
    #expect(fixture.report.prometheus(version: "1.2.3") == Self.ready)
  }

  @Test func ofALockedHostOnlyWhatApplies() throws {
    var fixture = StatusFixture.lockedHost
    fixture.record = nil
    let metrics = try PrometheusText(parsing: fixture.report.prometheus(version: "1"))
    #expect(
      metrics.names == [
        "mailboot_state", "mailboot_vault_open", "mailboot_service_ready", "mailboot_state_since_timestamp_seconds",
        "mailboot_unlock_attempts_total", "mailboot_build_info",
      ])
    #expect(metrics.value("mailboot_state", "state", "locked") == 1)
    #expect(metrics.value("mailboot_service_ready", "service", "postfix") == 0)
    #expect(metrics.value("mailboot_unlock_attempts_total", "result", "refused") == 0)
    #expect(metrics.value("mailboot_state_since_timestamp_seconds") == StatusFixture.noon - 600)
  }

  @Test func withoutABusNoServiceIsSaidToBeDown() throws {
    var fixture = StatusFixture()
    fixture.observation?.services = nil
    let metrics = try PrometheusText(parsing: fixture.report.prometheus(version: "1"))
    #expect(metrics.value("mailboot_state", "state", "unknown") == 1)
    #expect(!metrics.names.contains("mailboot_service_ready"))
    #expect(!metrics.names.contains("mailboot_state_since_timestamp_seconds"))
  }

  @Test(arguments: BootState.allCases)
  func exactlyTheStateThatIsSoIsOne(_ state: BootState) throws {
    var report = StatusFixture().report
    report.state = state
    let metrics = try PrometheusText(parsing: report.prometheus(version: "1"))
    for other in BootState.allCases {
      #expect(metrics.value("mailboot_state", "state", other.rawValue) == (other == state ? 1 : 0))
    }
  }

  @Test(arguments: [CheckResult.fail, .warn])
  func aCheckThatFoundSomethingFailed(_ result: CheckResult) throws {
    var fixture = StatusFixture()
    fixture.record?.checks[1].result = result
    let metrics = try PrometheusText(parsing: fixture.report.prometheus(version: "1"))
    #expect(metrics.value("mailboot_check_failed", "check", "database") == 1)
    #expect(metrics.value("mailboot_check_failed", "check", "mount") == 0)
  }

  @Test(arguments: ["a\"b", "back\\slash", "line\nend", "ü🙂", "{x=\"y\"} 1", "\\n", "tab\t"])
  func aLabelKeepsEveryCharacter(_ name: String) throws {
    var report = StatusFixture().report
    report.services[0].name = name
    let metrics = try PrometheusText(parsing: report.prometheus(version: name))
    #expect(metrics.value("mailboot_service_ready", "service", name) == 1)
    #expect(metrics.value("mailboot_build_info", "version", name) == 1)
  }

  static let ready = """
    # HELP mailboot_state Whether the mail host is in this state.
    # TYPE mailboot_state gauge
    mailboot_state{state="locked"} 0
    mailboot_state{state="opening"} 0
    mailboot_state{state="mounting"} 0
    mailboot_state{state="verifying"} 0
    mailboot_state{state="starting"} 0
    mailboot_state{state="locking"} 0
    mailboot_state{state="degraded"} 0
    mailboot_state{state="ready"} 1
    mailboot_state{state="unknown"} 0
    # HELP mailboot_vault_open Whether the vault is open and mounted.
    # TYPE mailboot_vault_open gauge
    mailboot_vault_open{vault="vault"} 1
    # HELP mailboot_service_ready Whether the service's units are active and its last probe answered.
    # TYPE mailboot_service_ready gauge
    mailboot_service_ready{service="redis-server"} 1
    mailboot_service_ready{service="rspamd"} 1
    mailboot_service_ready{service="dovecot"} 1
    mailboot_service_ready{service="postfix"} 1
    # HELP mailboot_check_failed Whether the check's last run found something wrong, be it required or only warned about.
    # TYPE mailboot_check_failed gauge
    mailboot_check_failed{check="database"} 0
    mailboot_check_failed{check="free-space"} 1
    # HELP mailboot_state_since_timestamp_seconds When the present state began, in seconds since 1970.
    # TYPE mailboot_state_since_timestamp_seconds gauge
    mailboot_state_since_timestamp_seconds 1795359600
    # HELP mailboot_unlock_attempts_total Passphrases tried since the machine booted.
    # TYPE mailboot_unlock_attempts_total counter
    mailboot_unlock_attempts_total{result="accepted"} 1
    mailboot_unlock_attempts_total{result="refused"} 3
    # HELP mailboot_last_unlock_timestamp_seconds When the last unlock run of this boot ended, in seconds since 1970.
    # TYPE mailboot_last_unlock_timestamp_seconds gauge
    mailboot_last_unlock_timestamp_seconds 1795359661.250
    # HELP mailboot_unlock_step_seconds How long each step of the last unlock run took.
    # TYPE mailboot_unlock_step_seconds gauge
    mailboot_unlock_step_seconds{step="open"} 3.500
    mailboot_unlock_step_seconds{step="mount"} 0
    # HELP mailboot_build_info The program's version; always 1.
    # TYPE mailboot_build_info gauge
    mailboot_build_info{version="1.2.3"} 1

    """
}
