import Foundation
import JSON
import MailHost
import Testing

/// The page for a user, in its forms.
struct ClientPageTests {
  private let page = AccountPage(testServers, address: "alice@example.org")

  @Test func aPersonReadsIt() {
    #expect(
      page.text == """
        Mail account alice@example.org

          user name   alice@example.org (the whole address)
          password    the one of this account; it is not in this page

        Incoming mail (IMAP)
          server      mail.example.org
          port        993
          encryption  SSL/TLS, from the start
          login       password ("normal password")

        Outgoing mail (SMTP)
          server      mail.example.org
          port        465
          encryption  SSL/TLS, from the start
          login       password ("normal password")

        Or, where that is not possible
          server      mail.example.org
          port        587
          encryption  STARTTLS
          login       password ("normal password")

        Filters (ManageSieve), if your program has them
          server      mail.example.org
          port        4190
          encryption  STARTTLS
          login       password ("normal password")

        """)
  }

  @Test func noLineIsLongerThan80() {
    let link = "https://autoconfig.mail.example.org/profiles/00000000-0000-8000-8000-000000000000.mobileconfig"
    let page = AccountPage(testServers, address: "alice@example.org", profile: link)
    for line in page.text.split(separator: "\n") where !line.contains(link) { #expect(line.count <= 80) }
    #expect(page.text.contains("\n  \(link)\n"))
  }

  @Test func withoutFiltersThereIsNothingAboutThem() {
    var settings = HostSettings(hostName: "mail.example.org", administrator: "alice@example.org")
    settings.managesieve = false
    let page = AccountPage(ClientServers(settings), address: "alice@example.org")
    #expect(
      !page.text.contains("4190") && !page.html.contains("4190") && page.json.rendered().contains("\"filters\": null"))
  }

  @Test func aProgramReadsIt() throws {
    let object = try JSONSerialization.jsonObject(with: Data(page.json.rendered().utf8)) as? [String: Any]
    let read = try #require(object)
    #expect(read["user_name"] as? String == "alice@example.org" && read["profile"] is NSNull)
    let outgoing = try #require(read["outgoing"] as? [[String: Any]])
    #expect(outgoing.map { $0["port"] as? Int } == [465, 587])
    #expect(outgoing.map { $0["encryption"] as? String } == ["TLS", "STARTTLS"])
  }

  @Test func aBrowserReadsIt() throws {
    #expect(try xpath("string(//h1)", in: page.html, html: true) == "Mail account alice@example.org")
    #expect(try xpath("count(//table)", in: page.html, html: true) == "5")
    // Nothing is loaded from elsewhere.
    #expect(try xpath("count(//@src | //link | //script)", in: page.html, html: true) == "0")
  }

  @Test func aHostileAddressIsOnlyText() throws {
    let page = AccountPage(testServers, address: hostileName, profile: "https://x/\"onclick=\"y")
    #expect(try xpath("count(//*[local-name() = 'c'])", in: page.html, html: true) == "0")
    #expect(try xpath("count(//a/@*)", in: page.html, html: true) == "1")
    #expect(try xpath("count(//table)", in: page.html, html: true) == "5")
    // Neither a terminal nor the next line is anything to it.
    #expect(
      page.text.hasPrefix("Mail account a\"b'<c>&d;{e}???f.example\n\n")
        || page.text.hasPrefix("Mail account a\"b'<c>&d;{e}??f.example\n\n"))
    #expect(!page.text.unicodeScalars.contains("\u{1}"))
  }

  @Test func thereIsNoPasswordInIt() {
    for text in [page.text, page.html] { #expect(text.contains("it is not in this page")) }
  }
}
