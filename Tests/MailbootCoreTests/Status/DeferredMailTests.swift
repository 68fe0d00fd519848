import JSON
import MailbootCore
import Testing

/// How much mail waits, as `mailboot status` shows it.
struct DeferredMailTests {
  private static let mail = DeferredMail(
    count: 12, hasMore: false, oldest: StatusFixture.noon - 7200, at: StatusFixture.noon)

  private func fixture(_ mail: DeferredMail?) -> StatusFixture {
    var fixture = StatusFixture()
    fixture.service = WaitServiceRecord(bootID: StatusFixture.bootID)
    fixture.service?.queue = mail
    return fixture
  }

  @Test(
    arguments: [
      mail, DeferredMail(count: 0, oldest: nil, at: 5), DeferredMail(count: 9, hasMore: true, oldest: 1, at: 2), nil,
    ])
  func itIsKeptInTheServicesRecord(_ mail: DeferredMail?) throws {
    var record = WaitServiceRecord(bootID: "x")
    record.queue = mail
    let text = Array(record.json().rendered().utf8)
    #expect(JSONText(parsing: text).flatMap(WaitServiceRecord.init(json:)) == record)
  }

  @Test func theStatusHasIt() throws {
    let report = fixture(Self.mail).report
    #expect(report.json()["queue"]?["deferred"]?.number == 12)
    #expect(report.json()["queue"]?["more"]?.flag == false)
    #expect(report.json()["queue"]?["oldest"]?.text == "2026-11-22T13:00:00Z")
    #expect(report.state == StatusFixture().report.state)
    let metrics = report.prometheus(version: "1")
    #expect(metrics.contains("\nmailboot_queue_deferred 12\n"))
    #expect(metrics.contains("\nmailboot_queue_oldest_age_seconds 7200\n"))
  }

  @Test func anEmptyQueueHasACountAndNoAge() {
    let metrics = fixture(DeferredMail(count: 0, oldest: nil, at: 5)).report.prometheus(version: "1")
    #expect(metrics.contains("\nmailboot_queue_deferred 0\n"))
    #expect(!metrics.contains("mailboot_queue_oldest"))
  }

  @Test func ofALockedVaultNothingIsSaid() {
    var fixture = StatusFixture.lockedHost
    fixture.service = self.fixture(Self.mail).service
    #expect(fixture.report.json()["queue"] == .null)
    #expect(!fixture.report.prometheus(version: "1").contains("mailboot_queue"))
  }

  @Test func theSameCountAgainIsNoNews() {
    var later = Self.mail
    later.at += 300
    #expect(fixture(Self.mail).report.isSame(as: fixture(later).report))
    later.count = 13
    #expect(!fixture(Self.mail).report.isSame(as: fixture(later).report))
  }
}
