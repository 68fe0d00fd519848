import Foundation
import MailHost
import TestSupport
import Testing

/// `config-v1.1.xml`.
struct ClientAutoconfigTests {
  private func isValid(_ text: String) throws -> (Bool, String) {
    let grammar = repositoryFile("Tests/MailHostTests/Fixtures/autoconfig.rng").path
    let said = try run("/usr/bin/xmllint", ["--nonet", "--noout", "--relaxng", grammar, "-"], input: Data(text.utf8))
    return (said.status == 0, said.said)
  }

  @Test func itIsWhatTheDraftAllows() throws {
    let (isValid, said) = try isValid(Autoconfig(testServers, domains: ["example.net", "example.org"]).text)
    #expect(isValid, "\(said)")
  }

  @Test func theGrammarSeesMistakes() throws {
    let text = Autoconfig(testServers, domains: ["example.org"]).text
    for (right, wrong) in [
      ("<domain>", "<domain purpose=\"mx\">"), ("<port>993", "<port>imaps"), ("SSL", "ssl"),
      ("    <domain>example.org</domain>\n", ""),
    ] {
      #expect(text.contains(right))
      #expect(try !isValid(text.replacingOccurrences(of: right, with: wrong)).0, "\(wrong)")
    }
  }

  @Test func everyDomainIsNamed() throws {
    let text = Autoconfig(testServers, domains: ["example.net", "example.org"]).text
    #expect(try xpath("//domain/text()", in: text) == "example.net\nexample.org")
    #expect(try xpath("//domain[@purpose]", in: text) == "")
  }

  @Test func theEncryptedPortComesFirst() throws {
    let text = Autoconfig(testServers, domains: ["example.org"]).text
    #expect(try xpath("//outgoingServer/port/text()", in: text) == "465\n587")
    #expect(try xpath("//outgoingServer/socketType/text()", in: text) == "SSL\nSTARTTLS")
    #expect(try xpath("//incomingServer/hostname/text()", in: text) == "mail.example.org")
  }

  @Test func aHostileNameIsOneDomain() throws {
    let text = Autoconfig(testServers, domains: [hostileName, "example.org"]).text
    let (isValid, said) = try isValid(text)
    #expect(isValid, "\(said)")
    #expect(try xpath("count(//domain)", in: text) == "2")
    #expect(
      try xpath("string(//domain[1])", in: text) == hostileName.replacingOccurrences(of: "\u{1}", with: "\u{FFFD}"))
  }

  @Test func aLongNameIsShortenedWhereItIsShown() throws {
    let name = String(repeating: "a", count: 60) + "." + String(repeating: "b", count: 60) + ".example"
    let servers = ClientServers(HostSettings(hostName: name, administrator: "a@b.example"))
    let (isValid, said) = try isValid(Autoconfig(servers, domains: ["b.example"]).text)
    #expect(isValid, "\(said)")
  }

  @Test func onlyOursIsTakenForOurs() {
    let text = Autoconfig(testServers, domains: ["example.org"]).text
    #expect(Autoconfig.isOurs(text))
    #expect(!Autoconfig.isOurs(text.replacingOccurrences(of: "mailhost web", with: "hand")))
    #expect(!Autoconfig.isOurs("") && !Autoconfig.isOurs("<clientConfig version=\"1.1\"/>\n"))
  }

  @Test func whatNamesMoreDomainsIsSeen() {
    let one = Autoconfig(testServers, domains: ["example.org", "a&b"])
    let more = Autoconfig(testServers, domains: ["example.net", "example.org", "a&b"])
    #expect(one.lacksDomains(of: more.text))
    #expect(!more.lacksDomains(of: one.text) && !one.lacksDomains(of: one.text))
  }
}
