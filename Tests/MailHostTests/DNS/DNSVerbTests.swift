import Foundation
import TestSupport
import Testing

/// `mailhost dns`, as it is called.
struct DNSVerbTests {
  private static let settings = "[dns]\naddresses = [\"192.0.2.1\", \"2001:db8::1\"]\n"

  @Test func theTableFitsAScreen() throws {
    let tree = try HostTree.applied(Self.settings)
    let said = try tree.mailhost(["dns"])
    #expect(said.status == 0, "\(said)")
    #expect(said.output.hasPrefix("the host itself\n\n  required\n    A     mail.example.org\n        192.0.2.1\n"))
    #expect(
      said.output.contains(
        "\n        Large providers refuse mail from an address without a name that leads\n        back to it."))
    for line in said.output.split(separator: "\n") {
      // Values are in one piece: they are for copying.
      #expect(line.count < 80 || line.contains("v=DKIM1") || line.contains(".arpa"), "\(line)")
    }
  }

  @Test func oneDomainIsAskedFor() throws {
    let tree = try HostTree.applied(Self.settings + "silent_names = [\"www.example.org\"]\n")
    #expect(
      try tree.mailhost(["dns", "www.example.org"]).output.hasPrefix("www.example.org\n\n  recommended\n    TXT   @"))
    let zone = try tree.mailhost(["dns", "example.org", "--format", "zone"]).output
    // The host's own name lies in this zone.
    #expect(zone.contains("\nmail.example.org. 3600 IN A 192.0.2.1\n"))
    let said = try tree.mailhost(["dns", "example.net"])
    #expect(said.status == 1 && said.output.isEmpty)
    #expect(said.errors == "error: example.net is no domain of this host\nhint: `mailcfg lsdom` lists them\n")
  }

  @Test func withoutAResolverOneFindingIsEnough() throws {
    let tree = try HostTree.applied(Self.settings)
    let said = try tree.mailhost(["dns", "check"])
    #expect(said.status == 1, "\(said)")
    #expect(
      said.output == """
        look    mail.example.org servers
                unknown: no resolver is known: see /etc/resolv.conf
                hint: see /etc/resolv.conf, and whether this host reaches the network
        0 right, 1 should be looked at (--all shows each)

        """)
  }

  @Test func withTheVaultLockedThatIsSaid() throws {
    let tree = try HostTree()
    try tree.lockVault(Self.settings)
    let said = try tree.mailhost(["dns"])
    #expect(said.status == 0)
    #expect(said.output.contains("note: the keys that sign are in the vault, which is locked: "))
    #expect(!said.output.contains("_domainkey"))
  }

  @Test(arguments: [
    ("lists = [\"zen\"]", "\"zen\" is not valid"), ("addresses = [\"mail\"]", "\"mail\" is not valid"),
    ("[[dns.mute]]\nfinding = \"example.org spf\"\nuntil = \"2027-06-30\"", "dns.mute[1].reason is missing"),
    ("[[dns.mute]]\nfinding = \"example.org spf\"\nreason = \"x\"\nuntil = \"in spring\"", "dns.mute[1].until"),
    ("[[dns.mute]]\nfinding = \"spf\"\nreason = \"x\"\nuntil = \"2027-06-30\"", "dns.mute[1].finding"),
  ])
  func mistakesInTheSettingsAreNamed(_ lines: String, _ expected: String) throws {
    let issues = try settingsIssues(["mailhost.toml": neededSettings + "[dns]\n" + lines + "\n"])
    #expect(issues.contains { $0.contains(expected) }, "\(issues)")
  }
}
