import MailHost
import Testing

private let noon = 1_795_359_600
private let text = QueueText(now: Double(noon))

private func summary(_ lines: String...) -> QueueSummary {
  var summary = QueueSummary()
  for mail in queuedMails(Array(lines.joined().utf8)).mails { summary.add(mail) }
  return summary
}

/// The queue as a person reads it.
struct QueueTextTests {
  @Test func groupsComeWithCountAgeAndReason() {
    let summary = summary(
      queueLine("A1", arrived: noon - 7200, ("a@one.example", "connect to one.example[203.0.113.1]:25: refused")),
      queueLine("B2", arrived: noon - 60, ("b@one.example", "connect to one.example[203.0.113.1]:25: refused")),
      queueLine("C3", place: "hold", arrived: noon - 30, ("b@two.example", nil)))
    #expect(
      text.lines(summary) == [
        "3 mails wait (1 held, 2 deferred), the oldest for 2 h", "",
        "one.example  2 mails, the oldest for 2 h", "  connect to one.example[203.0.113.1]:25: refused", "",
        "two.example  1 mail for 30 s (1 held)",
      ])
    #expect(text.lines(QueueSummary()) == ["nothing waits"])
  }

  @Test func noLineIsLongerThanTheScreen() throws {
    let long = String(repeating: "long.", count: 60) + "example"
    let line = queueLine(
      "A1", sender: "a@\(long)", ("a@\(long)", String(repeating: "no. ", count: 100)), ("b@one.example", "yes"))
    let mail = try #require(queuedMails(line).first)
    let lines = text.lines(summary(line)) + text.lines(mail) + [text.line(mail)]
    #expect(lines.allSatisfy { $0.count <= 79 })
    #expect(lines.contains { $0.contains("...  1 mail for ") })
    #expect(lines.contains { $0.hasPrefix("  no. no. ") && $0.hasSuffix("...") })
  }

  /// Both are chosen by whoever sends mail here, or runs the server that mail goes to.
  @Test func whatATerminalWouldActOnIsNotShown() throws {
    let line = queueLine(
      "A1", sender: #"\u001b]0;x\u0007@a.example"#,
      (#"b\u009b2J@\u202Eone.example"#, #"said:\r\n\u001b[2J250 ok\u0000"#))
    let mail = try #require(queuedMails(line).first)
    let lines = text.lines(summary(line)) + text.lines(mail) + [text.line(mail)]
    #expect(lines.contains { $0.contains("said:???[2J250 ok?") })
    for scalar in lines.joined().unicodeScalars {
      #expect(scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format)
    }
  }

  @Test func oneMailHasItsRecipientsAndEachReasonOnce() throws {
    let mail = try #require(
      queuedMails(
        queueLine(
          "A1", arrived: noon - 300, size: 5000, ("a@one.example", "refused"), ("b@one.example", "refused"),
          ("c@two.example", "timed out"))
      ).first)
    #expect(
      text.lines(mail) == [
        "A1              deferred 5 min   4 KiB    alice@example.org", "  to a@one.example", "  to b@one.example",
        "     refused", "  to c@two.example", "     timed out",
      ])
    #expect(text.line(mail) == "  A1 from alice@example.org to a@one.example and 2 more")
  }

  @Test func manyGroupsAndRecipientsAreCounted() throws {
    var summary = QueueSummary()
    for number in 0..<60 {
      summary.add(
        QueuedMail(
          id: "A\(number)", place: .deferred, arrived: Double(noon), size: 1, sender: "a@example.org",
          recipients: [.init(address: "a@d\(number).example", reason: "refused")]))
    }
    summary.unread = 1
    let lines = text.lines(summary)
    #expect(lines.count == 1 + 50 * 3 + 4)
    #expect(lines.contains("and mail for 10 more recipients; the other groups: --format json"))
    #expect(lines.last == "1 entry of postqueue cannot be understood")
    let mail = QueuedMail(
      id: "A1", place: .active, arrived: Double(noon), size: 1, sender: "a@example.org",
      recipients: (0..<50).map { .init(address: "a\($0)@one.example") })
    #expect(text.lines(mail).count == 22)
    #expect(text.lines(mail).last == "  and to 30 more")
  }
}
