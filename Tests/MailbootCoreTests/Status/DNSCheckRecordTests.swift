import JSON
import MailbootCore
import TestSupport
import Testing

struct DNSCheckRecordTests {
  private static func finding(_ name: String, _ severity: Int, muted: String? = nil) -> DNSCheckRecord.Finding {
    .init(
      name: name, rank: "required", result: severity > 0 ? "wrong" : "right", severity: severity,
      detail: "what was found of \(name)", hint: severity > 0 ? "what to do" : nil, muted: muted)
  }

  private static let record = DNSCheckRecord(
    at: 1_795_359_600,
    findings: [
      finding("example.org mx", 0), finding("example.org dmarc", 1), finding("example.org spf", 2),
      finding("example.net mx", 0, muted: "moves in spring"),
    ])

  @Test func aRecordIsReadAsItWasWritten() throws {
    let text = Self.record.json().rendered()
    #expect(try #require(JSONText(parsing: Array(text.utf8)).flatMap(DNSCheckRecord.init(json:))) == Self.record)
    #expect(Self.record.severity == 2)
    #expect(Self.record.bad.map(\.name) == ["example.org spf", "example.org dmarc"], "the worst first")
  }

  @Test func anAlarmOutlastsASilentServer() {
    var later = DNSCheckRecord(at: 1_795_446_000, findings: [Self.finding("example.org dmarc", 0)])
    later.findings.append(
      .init(
        name: "example.org spf", rank: "required", result: "unknown", severity: 1, detail: "", hint: nil, muted: nil))
    #expect(later.carrying(Self.record, isWhole: true).bad == [Self.finding("example.org spf", 2)])
    later.findings.removeLast()
    #expect(later.carrying(Self.record, isWhole: true).bad.isEmpty, "a domain that is gone has no findings")
    #expect(later.carrying(Self.record, isWhole: false).bad == [Self.finding("example.org spf", 2)])
    #expect(later.carrying(nil, isWhole: true) == later)
  }

  @Test(arguments: ["{}", "{\"at\": \"yesterday\", \"findings\": []}", "{\"at\": \"2026-11-22T15:00:00Z\"}", "[]"])
  func whatIsNoRecordIsNone(_ text: String) throws {
    #expect(DNSCheckRecord(json: try #require(JSONText(parsing: Array(text.utf8)))) == nil)
  }

  @Test func theStatusHasItAndStaysWhatItWas() {
    var fixture = StatusFixture()
    let state = fixture.report.state
    fixture.dnsCheck = Self.record
    #expect(fixture.report.state == state)
    #expect(fixture.report.json()["dns_check"]?["severity"]?.number == 2)
    let metrics = fixture.report.prometheus(version: "1")
    #expect(metrics.contains("\nmailhost_dns_findings{severity=\"critical\"} 1\n"))
    #expect(metrics.contains("\nmailhost_dns_findings{severity=\"warning\"} 1\n"))
    #expect(metrics.contains("\nmailhost_dns_check_timestamp_seconds 1795359600\n"))
    fixture.dnsCheck = nil
    #expect(!fixture.report.prometheus(version: "1").contains("mailhost_dns"))
  }
}
