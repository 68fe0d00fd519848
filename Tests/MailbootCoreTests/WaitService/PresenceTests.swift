import MailbootCore
import Testing

struct PresenceTests {
  @Test func whatIsToldAgainHasNotComeAgain() {
    var presence = Presence()
    let told = ["activating", "active", "active", nil, "active", "inactive", "active"]
    let news = told.map { presence.comes(with: $0) }
    #expect(news == [false, true, false, false, false, false, true])
  }

  @Test func whatWasThereFromTheBeginningHasNotCome() {
    var presence = Presence(isThere: true)
    let isNews = presence.comes(with: "active")
    #expect(!isNews)
  }
}
