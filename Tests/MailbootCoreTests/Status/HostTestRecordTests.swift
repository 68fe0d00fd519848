import JSON
import MailbootCore
import Testing

/// What `mailhost test` has found, as `mailboot status` shows it.
struct HostTestRecordTests {
  private static let record = HostTestRecord(
    at: 1_795_359_600, seconds: 4.25,
    tests: [
      .init(name: "gtube", result: .pass, detail: "554 5.7.1 Gtube pattern", hint: nil),
      .init(name: "open-relay", result: .fail, detail: "250 \"Ok\"", hint: "`mailhost explain mynetworks`"),
      .init(name: "login-log", result: .skip, detail: "fail2ban is not installed", hint: nil),
    ])

  @Test func itIsReadAsItWasWritten() throws {
    let text = Self.record.json().rendered()
    #expect(text.contains("\"at\": \"2026-11-22T15:00:00Z\""))
    let read = try #require(JSONText(parsing: Array(text.utf8)).flatMap(HostTestRecord.init(json:)))
    #expect(read == Self.record)
    #expect(read.failed.map(\.name) == ["open-relay"])
    #expect([read.count(.pass), read.count(.fail), read.count(.skip)] == [1, 1, 1])
  }

  @Test(
    arguments: [
      "{}", "[]", "null", #"{"at": 5, "tests": []}"#, #"{"at": "yesterday", "tests": []}"#,
      #"{"at": "2026-11-22T15:00:00Z"}"#,
    ])
  func whatIsNoRecordIsNone(_ text: String) throws {
    #expect(HostTestRecord(json: try #require(JSONText(parsing: Array(text.utf8)))) == nil)
  }

  @Test func whatIsNotUnderstoodIsLeftOut() throws {
    let text = """
      {"schema": 1, "at": "2026-11-22T15:00:00Z", "tests": [{"name": "gtube", "result": "pass", "detail": "", "hint": null},
        {"name": "new", "result": "perhaps", "detail": ""}, 7]}
      """
    let read = try #require(JSONText(parsing: Array(text.utf8)).flatMap(HostTestRecord.init(json:)))
    #expect(read.tests.map(\.name) == ["gtube"])
  }

  /// It is shown, and changes nothing else: neither the state nor what a monitoring plugin says.
  @Test func aFailedTestIsNoReasonToBeDegraded() {
    var fixture = StatusFixture()
    let before = fixture.report
    fixture.hostTest = Self.record
    let report = fixture.report
    #expect(report.state == before.state)
    #expect(report.nagios(now: StatusFixture.noon) == before.nagios(now: StatusFixture.noon))
    #expect(report.json()["host_test"]?["tests"]?.items?.count == 3)
    #expect(report.json()["host_test"]?["at"]?.text == "2026-11-22T15:00:00Z")
  }

  @Test func whatWasNotTriedHasNoMetric() throws {
    var fixture = StatusFixture()
    fixture.hostTest = Self.record
    let metrics = try PrometheusText(parsing: fixture.report.prometheus(version: "1"))
    #expect(metrics.value("mailhost_test_failed", "test", "gtube") == 0)
    #expect(metrics.value("mailhost_test_failed", "test", "open-relay") == 1)
    #expect(metrics.value("mailhost_test_failed", "test", "login-log") == nil)
    #expect(fixture.report.prometheus(version: "1").contains("\nmailhost_test_timestamp_seconds 1795359600\n"))
    fixture.hostTest = nil
    #expect(!fixture.report.prometheus(version: "1").contains("mailhost_test"))
  }
}
