import JSON
import MailHost
import Testing

private let noon = 1_795_359_600

private func summary(_ mails: [QueuedMail]) -> QueueSummary {
  var summary = QueueSummary()
  for mail in mails { summary.add(mail) }
  return summary
}

/// What waits, by destination and reason.
struct QueueSummaryTests {
  @Test func mailsAreGroupedByDestinationAndReason() {
    let summary = summary(
      queuedMails(
        queueLine("A1", arrived: noon, ("a@one.example", "refused")),
        queueLine("B2", arrived: noon - 60, ("b@One.example", "refused"), ("c@one.example", "refused")),
        queueLine("C3", place: "hold", arrived: noon - 30, ("a@one.example", "refused"), ("a@two.example", "timeout")),
        queueLine("D4", place: "active", arrived: noon - 10, ("a@one.example", nil))))
    #expect(summary.mails == 4 && summary.recipients == 6 && summary.oldest == Double(noon - 60))
    #expect(summary.places == [.deferred: 2, .hold: 1, .active: 1])
    let groups = summary.groups
    #expect(groups.map(\.destination) == ["one.example", "two.example", "one.example"])
    #expect(groups.map(\.reason) == ["refused", "timeout", nil])
    #expect(groups.map(\.mails) == [3, 1, 1])
    #expect(groups.map(\.recipients) == [4, 1, 1])
    #expect(groups.first?.oldest == Double(noon - 60))
    #expect(groups.first?.places == [.deferred: 2, .hold: 1])
  }

  /// Else each mail to a large provider would be a group of its own.
  @Test func whatIsAnotherForEachMailIsNoOtherReason() {
    let say = "host mx%.example[203.0.113.%] said: 451 4.7.1 later <a%@one.example> 98e67ed59e1d1-28df0f-% (in reply)"
    func reason(_ number: Int) -> String { say.replacing("%", with: String(number)) }
    let summary = summary(
      queuedMails(
        queueLine("A1", arrived: noon, ("a1@one.example", reason(1))),
        queueLine("B2", arrived: noon - 60, ("a2@one.example", reason(2))),
        queueLine("C3", arrived: noon, ("a3@one.example", reason(3).replacing("451", with: "452")))))
    #expect(summary.groups.map(\.mails) == [2, 1])
    // Of the oldest, whole.
    #expect(summary.groups.first?.reason == reason(2))
  }

  @Test func aHundredThousandMailsTakeNoMoreRoomThanTheirGroups() {
    var summary = QueueSummary()
    for number in 0..<100_000 {
      summary.add(
        QueuedMail(
          id: "A\(number)", place: .deferred, arrived: Double(noon), size: 1000, sender: "a@example.org",
          recipients: [.init(address: "a@d\(number % 20_000).example", reason: "refused")]))
    }
    #expect(summary.mails == 100_000)
    #expect(summary.groups.count == 10_000)
    #expect(summary.ungrouped == 50_000)
  }

  @Test func jsonHasTheReasonWhole() throws {
    let reason = String(repeating: "no. ", count: 200)
    var summary = summary(queuedMails(queueLine("A1", arrived: noon, size: 10, ("a@one.example", reason))))
    summary.unread = 2
    let json = try #require(JSONText(parsing: Array(summary.json().rendered().utf8)))
    #expect(json["schema"]?.number == 1 && json["mails"]?.number == 1 && json["size_bytes"]?.number == 10)
    #expect(json["oldest"]?.text == "2026-11-22T15:00:00Z")
    #expect(json["queues"]?["deferred"]?.number == 1 && json["queues"]?["hold"]?.number == 0)
    #expect(json["unread_mails"]?.number == 2)
    let group = try #require(json["groups"]?.items?.first)
    #expect(group["destination"]?.text == "one.example" && group["reason"]?.text == reason)
    #expect(QueueSummary().json()["oldest"] == .null)
  }

  @Test func aMailInJSONIsALine() throws {
    let line = try #require(queuedMails(queueLine("A1", ("a@one.example", #"a\nb"#))).first).json().line()
    #expect(!line.contains("\n"))
    let json = try #require(JSONText(parsing: Array(line.utf8)))
    #expect(json["id"]?.text == "A1" && json["queue"]?.text == "deferred")
    #expect(json["recipients"]?.items?.first?["reason"]?.text == "a\nb")
  }
}
