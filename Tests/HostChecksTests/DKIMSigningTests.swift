import Foundation
import HostChecks
import MailbootCore
import TestSupport
import Testing

/// Keys where rspamd's own configuration says they are.
@Suite("DKIM keys by rspamd's configuration")
struct DKIMSigningTests {
  private func ours(_ fixture: DKIMFixture, _ more: String = "") -> String {
    "{\"path\":\"\(fixture.path)/$domain.$selector.key\",\"selector\":\"202001\",\"use_esld\":false\(more)}"
  }

  @Test func itsPathAndSelectorCount() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    #expect(fixture.check(["example.org"], signing: ours(fixture)).detail == "1 domain signed by 202001")
    let other = fixture.parent.file("other")
    try FileManager.default.moveItem(atPath: fixture.path, toPath: other)
    let moved = "{\"path\":\"\(other)/$domain.$selector.key\",\"selector\":\"202001\",\"use_esld\":false}"
    #expect(fixture.check(["example.org"], signing: moved).sound)
    let missing = fixture.check(["example.org"], signing: ours(fixture))
    #expect(missing.kind == .dkimKeyMissing && missing.grade == .fatal)
  }

  @Test func oneKeyMayBeForAllDomains() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let signing = "{\"path\":\"\(fixture.key("example.org"))\",\"selector\":\"s1\",\"use_esld\":false}"
    #expect(
      fixture.check(["a.example", "b.example", "c.example"], signing: signing).detail == "3 domains signed by s1")
    let literal = ours(fixture, ",\"use_domain\":\"example.org\"")
    #expect(fixture.check(["a.example", "b.example"], signing: literal).sound)
  }

  /// Elsewhere than in our directory nobody keeps a record beside the key.
  @Test func noRecordIsMissedElsewhere() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    try FileManager.default.removeItem(atPath: fixture.record("example.org"))
    #expect(fixture.check(["example.org"], signing: ours(fixture)).kind == .dkimRecordMissing)
    let other = fixture.parent.file("other")
    try FileManager.default.moveItem(atPath: fixture.path, toPath: other)
    let signing = "{\"path\":\"\(other)/$domain.$selector.key\",\"selector\":\"202001\"}"
    #expect(fixture.check(["example.org"], signing: signing).sound)
  }

  @Test func tablesOfSingleDomainsCount() throws {
    let fixture = try DKIMFixture(domains: ["example.org", "example.net"])
    let signing = """
      {"try_fallback": false, "use_esld": false, "domain": {
        "example.org": {"selectors": [{"selector": "a", "path": "\(fixture.key("example.org"))"},
                                      {"selector": "b", "path": "\(fixture.path)/none.key"}]},
        "Example.NET": {"selector": "c", "path": "\(fixture.key("example.net"))"}}}
      """
    let finding = fixture.check(["example.org", "example.net"], signing: signing)
    #expect(finding.kind == .dkimSpareKey && finding.grade == .warning, "one of two keys is enough to sign")
    #expect(finding.detail == "example.org: \(fixture.path)/none.key is missing")
    let unlisted = fixture.check(["example.net", "example.com"], signing: signing)
    #expect(unlisted.kind == .dkimUnlisted && unlisted.grade == .warning)
    #expect(unlisted.detail == "example.com is not among the domains that rspamd signs for")
    try FileManager.default.removeItem(atPath: fixture.key("example.net"))
    #expect(fixture.check(["example.net"], signing: signing).kind == .dkimKeyMissing)
  }

  @Test func mapsOfSelectorsAndPathsCount() throws {
    let fixture = try DKIMFixture()
    try fixture.addRSA("example.org", selector: "2024")
    try fixture.giveToUser()
    let map = fixture.parent.file("selectors.map")
    try "# domain selector\nExample.org  2024\n".write(toFile: map, atomically: false, encoding: .utf8)
    let byFile = ours(fixture, ",\"selector_map\":\"\(map)\"")
    #expect(fixture.check(["example.org"], signing: byFile).detail == "example.org signed by 2024 (not 202001)")
    let paths = "{\"selector\":\"2024\",\"path_map\":[\"example.org \(fixture.key("example.org", "2024"))\"]}"
    #expect(fixture.check(["example.org"], signing: paths).sound)
    let url = ours(fixture, ",\"selector_map\":\"https://maps.example/x\"")
    let finding = fixture.check(["example.org"], signing: url)
    #expect(!finding.applies && finding.detail == "rspamd's `selector_map` is not a file that can be read")
  }

  /// Which domain is the registered one only a list of public suffixes tells.
  @Test func aSubdomainMayBeSignedByTheDomainAboveIt() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let signing = "{\"path\":\"\(fixture.path)/$domain.$selector.key\",\"selector\":\"202001\"}"
    #expect(fixture.check(["lists.example.org"], signing: signing).sound)
    #expect(fixture.check(["lists.example.org"], signing: ours(fixture)).kind == .dkimKeyMissing)
  }

  @Test func aKeyOfAnotherSelectorThanTheConfiguredOneIsWarnedAbout() throws {
    let fixture = try DKIMFixture()
    try fixture.addRSA("example.org", selector: "2019")
    try fixture.giveToUser()
    let finding = fixture.check(["example.org"], signing: ours(fixture))
    #expect(finding.kind == .dkimOtherSelector && finding.grade == .warning)
    #expect(
      finding.detail
        == "example.org: rspamd looks for \(fixture.key("example.org")), and there is only \(fixture.key("example.org", "2019"))"
    )
  }

  @Test(arguments: [
    ("Section dkim_signing NOT FOUND", "rspamd has no section dkim_signing"),
    ("{\"enabled\": false, \"selector\": \"dkim\"}", "rspamd's dkim_signing is switched off"),
    ("{\"use_redis\": true}", "rspamd finds its keys in redis"),
    ("{\"signing_table\": \"/x\", \"key_table\": \"/y\"}", "rspamd chooses its keys by `signing_table`"),
    // As the package has it, on a host where nobody ever made a key.
    ("{\"selector\":\"dkim\",\"try_fallback\":true}", "rspamd has no key in /var/lib/rspamd/dkim"),
  ])
  func whereItSignsNothingOrNothingCanBeLookedAtItDoesNotApply(_ signing: String, _ detail: String) throws {
    let finding = try DKIMFixture().check(["example.org"], signing: signing)
    #expect(finding.sound && !finding.applies && finding.detail == detail)
  }

  /// Several sections of one name, and what a version prints around them.
  @Test func sectionsAreJoined() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let signing = """
      *** Section dkim_signing ***
      {"selector":"202001","use_esld":false,"note":"a } in \\" text"}
      {"dkim_signing":{"path":"\(fixture.path)/$domain.$selector.key"}}
      """
    #expect(fixture.check(["example.org"], signing: signing).detail == "1 domain signed by 202001")
  }

  @Test func whereTheDomainsAreNotKnownEachKeyMustBeUsable() throws {
    let fixture = try DKIMFixture(domains: ["example.org", "example.net"])
    #expect(fixture.check(nil, signing: ours(fixture)).detail == "2 domains signed by 202001")
    #expect(fixture.check(nil).detail == "2 domains signed by 202001")
    #expect(try runInShell("chown root:root \(fixture.key("example.net"))").status == 0)
    #expect(fixture.check(nil, signing: ours(fixture)).kind == .dkimKeyUnreadable)
    let empty = try DKIMFixture()
    #expect(!empty.check(nil).applies)
    let one = "{\"path\":\"\(fixture.key("example.org"))\",\"selector\":\"s1\"}"
    #expect(fixture.check(nil, signing: one).detail == "every domain signed by s1")
  }
}

/// The record beside a key, as people and tools write it.
@Suite("DKIM records")
struct DKIMRecordTests {
  private func check(_ text: (String) -> String) throws -> Finding {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let key = try runInShell("openssl pkey -in \(fixture.key("example.org")) -pubout -outform DER | base64 -w0").output
    try text(key).write(toFile: fixture.record("example.org"), atomically: false, encoding: .utf8)
    return fixture.check(["example.org"])
  }

  @Test func semicolonsMayBeQuotedAsDNSToolsPrintThem() throws {
    #expect(try check { "\"v=DKIM1\\; k=rsa\\; p=\($0)\"\n" }.sound)
    #expect(try check { "v=DKIM1\\; k=rsa\\; p=\($0)\n" }.sound)
    #expect(try check { "202001._domainkey.example.org. 300 IN TXT \"v=DKIM1\\; k=rsa\\; \" \"p=\($0)\"\n" }.sound)
  }

  @Test func anOldRecordMayStandBeforeTheOneThatCounts() throws {
    #expect(try check { "\"v=DKIM1; k=rsa; p=AAAA\"\n\"v=DKIM1; k=rsa; p=\($0)\"\n" }.sound)
    #expect(try check { "v=DKIM1; k=rsa; p=AAAA\nv=DKIM1; k=rsa; p=\($0)\n" }.sound)
    #expect(
      try check {
        "2019._domainkey IN TXT ( \"k=rsa; p=AAAA\" ) ;\n202001._domainkey IN TXT ( \"k=rsa; \"\n \"p=\($0)\" ) ; x\n"
      }.sound)
  }

  @Test func aRecordOfAnotherKeyIsWarnedAbout() throws {
    let finding = try check { _ in "\"v=DKIM1; k=rsa; p=AAAA\"\n\"v=DKIM1; k=rsa; p=BBBB\"\n" }
    #expect(finding.kind == .dkimRecordDiffers && finding.grade == .warning)
    #expect(try check { _ in "nothing\n" }.kind == .dkimRecordDiffers)
  }
}
