import Testing

@testable import MailAccounts

@Suite struct NameErrorTests {
  private func description(_ input: String) -> String? {
    error { () throws(NameError) in _ = try DomainName(input) }?.description
  }

  @Test func keepsTheInputAndShowsItWithEscapes() {
    let input = "a\n\r\n\t\0\"\\\u{1B}[31m\u{202E}\u{200B}\u{301}é.org"
    let found = error { () throws(NameError) in _ = try DomainName(input) }
    #expect(found?.input == input)
    #expect(
      found?.description.hasPrefix(
        #""a\n\r\n\t\0\"\\\u{1B}[31m\u{202E}\u{200B}\u{301}é.org" is no domain: it contains "#) == true)
  }

  @Test func shortensALongInput() throws {
    let text = try #require(description(String(repeating: "x", count: 100_000)))
    #expect(text == "\"\(String(repeating: "x", count: 80))…\" is no domain: it is longer than 253 octets")
  }

  @Test func saysWhatItShouldHaveBeen() {
    let address = error { () throws(NameError) in _ = try EmailAddress("x") }
    let source = error { () throws(NameError) in _ = try AliasSource("x") }
    #expect(description("x")?.hasPrefix("\"x\" is no domain: ") == true)
    #expect(address?.description == "\"x\" is no address: it has no @")
    #expect(source?.description == "\"x\" is no alias source: it has no @")
  }
}
