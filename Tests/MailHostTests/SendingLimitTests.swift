import MailHost
import Testing

/// What redis has counted, as people see it.
struct SendingLimitTests {
  private let now = 1_796_000_000.0
  private var hour: Int { Int(now / 3600) }

  private func counts(_ fields: [(String, String)]) throws -> SendingCounts {
    let list = fields.map { "\"\($0.0)\",\"\($0.1)\"" }.joined(separator: ",")
    let text = "{\"user\":\"bob@example.org\",\"fields\":[\(list)]}\n"
    return try #require(SendingCounts.list(text, now: now)?.first)
  }

  private func reached(told: Double? = nil) throws -> SendingCounts {
    try counts(
      [
        ("m:\(hour)", "3"), ("m:\(hour - 23)", "4"), ("m:\(hour - 24)", "100"), ("r:\(hour)", "220"),
        ("n:\(hour)", "200"),
        ("x:\(hour)", "37"), ("level", "12.5"), ("at", "\(Int(now))"), ("since:n", "\(Int(now) - 7300)"),
        ("last:n", "\(Int(now) - 60)"), ("last:b", "\(Int(now) - 90000)"),
      ] + (told.map { [("told:n", "\(Int($0))")] } ?? []))
  }

  @Test func whatIsADayOldDoesNotCount() throws {
    let bob = try reached()
    #expect(bob.messages == 7 && bob.recipients == 220 && bob.newRecipients == 200 && bob.refused == 37)
    #expect(bob.reached.map(\.limit) == [.newRecipients] && bob.blocks.first?.since == now - 7300)
    #expect(try counts([("m:\(hour - 24)", "100")]).isEmpty)
  }

  @Test func onAPhone() throws {
    var limits = HostSettings.Limits()
    limits.recipientsPerDay = 0
    let lines = SendingText(columns: 79, now: now).lines(try reached(), limits)
    #expect(
      lines == [
        "bob@example.org", "  7 of 500 messages, 220 recipients, 200 of 200 of them new",
        "  ! put off since 2 h: 200 new recipients a day are reached", "    37 mails put off in 24 hours",
      ])
    for columns in 40...79 {
      for line in SendingText(columns: columns, now: now).lines(try reached(), limits) {
        #expect(line.count <= columns)
      }
    }
  }

  @Test func theAdministratorIsToldOnceADay() throws {
    let limits = HostSettings.Limits()
    let notice = try #require(SendingNotice(try reached(), limits, now: now))
    #expect(notice.subject == "bob@example.org has reached 200 new recipients a day")
    #expect(notice.text.contains("  mailhost limits clear bob@example.org\n"))
    #expect(notice.text.contains("  [limits.user.\"bob@example.org\"]\n  new_recipients_per_day = 1000\n"))
    #expect(SendingNotice(try reached(told: now - 3600), limits, now: now) == nil)
    #expect(SendingNotice(try reached(told: now - 86400), limits, now: now)?.reached == [.newRecipients])
    #expect(SendingNotice(try counts([("m:\(hour)", "3")]), limits, now: now) == nil)
  }

  @Test func whatAClockThatWasAheadHasLeftIsNothing() throws {
    #expect(try counts([("m:\(hour + 500)", "100"), ("last:b", "\(Int(now) + 900000)")]).isEmpty)
    #expect(SendingNotice(try reached(told: now + 900000), HostSettings.Limits(), now: now) != nil)
  }

  @Test(arguments: ["(error) READONLY", "{\"user\":1,\"fields\":[]}", "{\"user\":\"a\",\"fields\":[\"one\"]}"])
  func whatRedisDoesNotSayIsNoCount(_ text: String) { #expect(SendingCounts.list(text, now: now) == nil) }
}
