import Foundation
import MailHost
import Testing

/// The lines for web servers and the DNS.
struct ClientWebSiteTests {
  private func site(_ domains: [String]) -> WebSite {
    WebSite(
      HostSettings(hostName: "mail.example.org", administrator: "alice@example.org"), root: "/var/www/mailhost",
      domains: domains)
  }

  /// The words of the first directive of a name.
  private func words(_ name: String, in text: String) -> [[String]] {
    text.split(separator: ";").map { $0.split { $0.isWhitespace }.map(String.init) }.filter { $0.contains(name) }
  }

  @Test func nginxServesEveryName() {
    let text = site(["example.net", "example.org"]).nginx
    let names = text.components(separatedBy: "server_name").dropFirst().map {
      $0.prefix { $0 != ";" }.split { $0.isWhitespace }.map(String.init)
    }
    #expect(
      names == [
        ["autoconfig.mail.example.org"], ["autoconfig.example.net", "autoconfig.example.org"],
        ["mta-sts.example.net", "mta-sts.example.org"],
      ])
    #expect(text.contains("# certbot certonly -d mta-sts.example.net -d mta-sts.example.org\n"))
    #expect(text.count { $0 == "{" } == text.count { $0 == "}" })
    for path in Autoconfig.paths + [MTASTSPolicy.path] { #expect(text.contains("location = \(path) {"), "\(path)") }
    #expect(text.components(separatedBy: "listen [::]:443 ssl;").count == 4)
  }

  @Test func apacheServesEveryName() {
    let lines = site(["example.net", "example.org"]).apache.components(separatedBy: "\n")
    #expect(
      lines.filter { $0.contains("ServerName") || $0.contains("ServerAlias") }.map {
        $0.trimmingCharacters(in: .whitespaces)
      } == [
        "ServerName autoconfig.mail.example.org", "ServerName autoconfig.example.net",
        "ServerAlias autoconfig.example.org", "ServerName mta-sts.example.net", "ServerAlias mta-sts.example.org",
      ])
    #expect(lines.count { $0.hasPrefix("<VirtualHost") } == 3 && lines.count { $0 == "</VirtualHost>" } == 3)
  }

  @Test func theRecordsOfThePoliciesComeLast() {
    let site = site(["example.net", "example.org"])
    #expect(
      site.records == [
        "autoconfig.mail.example.org. IN CNAME mail.example.org.",
        "autoconfig.example.net. IN CNAME mail.example.org.", "autoconfig.example.org. IN CNAME mail.example.org.",
        "mta-sts.example.net. IN CNAME mail.example.org.",
        "mta-sts.example.org. IN CNAME mail.example.org.", "_mta-sts.example.net. IN TXT \"\(site.policy.record)\"",
        "_mta-sts.example.org. IN TXT \"\(site.policy.record)\"",
      ])
  }

  @Test func aHostileNameIsInNoLine() {
    for name in [hostileName, "x.example;\n}", "x.example $uri", "*.example.org", "_.example.org", "localhost", ""] {
      let site = site([name, "example.org"])
      let plain = self.site(["example.org"])
      #expect(site.unusable == [name])
      #expect(site.nginx == plain.nginx && site.apache == plain.apache && site.records == plain.records)
    }
  }

  @Test func aHostWithoutDomainsHasItsOwnName() {
    let site = site([])
    #expect(site.nginx.components(separatedBy: "server {").count == 2)
    #expect(site.records == ["autoconfig.mail.example.org. IN CNAME mail.example.org."])
  }

  @Test func aDomainThatIsTheHostsNameIsNamedOnce() {
    let site = WebSite(
      HostSettings(hostName: "example.org", administrator: "alice@example.org"), root: "/var/www/mailhost",
      domains: ["example.org"])
    #expect(site.nginx.components(separatedBy: "autoconfig.example.org;").count == 2)
    #expect(site.records.count { $0.hasPrefix("autoconfig.") } == 1)
  }
}
