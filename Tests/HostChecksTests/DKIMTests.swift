import Foundation
import HostChecks
import MailbootCore
import TestSupport
import Testing

@Suite("DKIM keys")
struct DKIMTests {
  @Test func keysThatMatchTheirRecordsAreSound() throws {
    let fixture = try DKIMFixture(domains: ["example.org", "example.net"])
    #expect(
      fixture.check(["example.net", "example.org"])
        == Finding(sound: .dkim, "2 domains signed by 202001"))
  }

  @Test func domainsAreLookedForInLowerCaseAsRspamdDoes() throws {
    #expect(try DKIMFixture(domains: ["example.org"]).check(["Example.ORG"]).sound)
  }

  @Test func olderRSAFormIsRead() throws {
    let fixture = try DKIMFixture()
    try fixture.addRSA("example.org", traditional: true)
    try fixture.giveToUser()
    #expect(try String(contentsOfFile: fixture.key("example.org"), encoding: .utf8).contains("BEGIN RSA PRIVATE KEY"))
    #expect(fixture.check(["example.org"]).sound)
  }

  @Test func recordWithTheBareRSAKeyMatches() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let bare = try runInShell(
      "openssl rsa -in \(fixture.key("example.org")) -RSAPublicKey_out -outform DER 2>/dev/null | base64 -w0")
    try fixture.writeRecord("example.org", algorithm: "rsa", publicKey: bare.output)
    #expect(fixture.check(["example.org"]).sound)
  }

  @Test func noDomainsNeedNoKeys() throws {
    #expect(try DKIMFixture().check([]) == Finding(sound: .dkim, "no domains"))
  }

  @Test func missingKeyIsNamedWithTheCommandThatMakesIt() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let finding = fixture.check(["example.net", "example.org"])
    let key = fixture.key("example.net")
    let record = fixture.record("example.net")
    #expect(finding.grade == .fatal && finding.detail == "example.net: \(key) is missing")
    #expect(
      finding.hint
        == "rspamadm dkim_keygen -b 2048 -d example.net -s 202001 -k \(key) > \(record) && "
        + "chown nobody:nogroup \(key) \(record) && chmod 0640 \(key)")
  }

  @Test func anotherSelectorIsSoundAndTold() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    try fixture.addRSA("example.net", selector: "2019")
    try fixture.addRSA("example.net", selector: "2024")
    try fixture.giveToUser()
    #expect(
      fixture.check(["example.net", "example.org"])
        == Finding(sound: .dkim, "1 domain signed by 202001, example.net signed by 2024 (not 202001)"))
  }

  @Test func keyOfALongerDomainIsNotTheShorterOnes() throws {
    let fixture = try DKIMFixture(domains: ["example.org.uk"])
    let finding = fixture.check(["example.org", "example.org.uk"])
    #expect(!finding.sound && finding.detail == "example.org: \(fixture.key("example.org")) is missing")
  }

  @Test func keyOfAnotherDomainsRecordDoesNotMatch() throws {
    let fixture = try DKIMFixture(domains: ["example.org", "example.net"])
    try FileManager.default.removeItem(atPath: fixture.record("example.net"))
    try FileManager.default.copyItem(atPath: fixture.record("example.org"), toPath: fixture.record("example.net"))
    let finding = fixture.check(["example.net", "example.org"])
    #expect(finding.grade == .warning)
    #expect(
      finding.detail
        == "example.net: \(fixture.key("example.net")) does not match \(fixture.record("example.net"))")
  }

  @Test func missingRecordIsNamedAndItsHintMakesItAgain() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    try FileManager.default.removeItem(atPath: fixture.record("example.org"))
    let finding = fixture.check(["example.org"])
    #expect(finding.grade == .warning && finding.detail == "example.org: \(fixture.record("example.org")) is missing")
    let made = try runInShell(finding.hint ?? "false")
    #expect(made.status == 0, "\(made.output)")
    #expect(fixture.check(["example.org"]).sound)
    let record = try String(contentsOfFile: fixture.record("example.org"), encoding: .utf8)
    #expect(record.hasPrefix("202001._domainkey IN TXT ( \"v=DKIM1; k=rsa; p=\"\n\"MIIB"))
  }

  @Test func shortKeyIsWarnedAbout() throws {
    let fixture = try DKIMFixture()
    try fixture.addRSA("example.org", bits: 1024)
    try fixture.giveToUser()
    let finding = fixture.check(["example.org"])
    #expect(finding.kind == .dkimShortKey && finding.grade == .warning)
    #expect(finding.detail.hasSuffix("has 1024 bits, fewer than 2048"))
  }

  @Test(arguments: [
    ("", "is empty (0 bytes)"),
    ("hello\n", "is neither a PEM private key nor the base64 of an Ed25519 key"),
    ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is not a PEM private key ("),
    ("# comment\n-----BEGIN PRIVATE KEY-----\n", "has text before -----BEGIN, which rspamd does not read"),
    ("AAAA\n", "is base64 of 3 bytes, not of a 32-byte Ed25519 seed"),
    (String(repeating: "A", count: 70000), "is too large for a key (more than 65536 bytes)"),
  ])
  func fileThatIsNoKeyIsNamed(contents: String, expected: String) throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    try Data(contents.utf8).write(to: URL(fileURLWithPath: fixture.key("example.org")))
    let finding = fixture.check(["example.org"])
    #expect(finding.grade == .fatal && finding.kind == .dkimKeyUnusable)
    #expect(finding.detail.hasPrefix("example.org: \(fixture.key("example.org")) \(expected)"), "\(finding.detail)")
  }

  @Test func encryptedKeyIsRefusedWithoutAskingAnybody() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let key = fixture.key("example.org")
    #expect(
      try runInShell("openssl pkcs8 -topk8 -in \(key) -passout pass:x -out \(key).new && cat \(key).new > \(key)")
        .status == 0)
    #expect(fixture.check(["example.org"]).detail == "example.org: \(key) is encrypted with a passphrase")
  }

  @Test func ellipticCurveKeyIsNoDKIMKey() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let key = fixture.key("example.org")
    #expect(try runInShell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 > \(key)").status == 0)
    #expect(fixture.check(["example.org"]).detail == "example.org: \(key) is a key for EC, which DKIM does not have")
  }

  @Test func ed25519IsReadFromItsSeedAndNotFromPEM() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let key = fixture.key("example.org")
    // The last 32 bytes of the DER forms are the seed and the public key (RFC 8410).
    let pem = fixture.parent.file("pem")
    #expect(try runInShell("openssl genpkey -algorithm ed25519 -out \(pem)").status == 0)
    let publicKey = try runInShell("openssl pkey -in \(pem) -pubout -outform DER | tail -c 32 | base64 -w0").output
    try fixture.writeRecord("example.org", algorithm: "ed25519", publicKey: publicKey)

    #expect(try runInShell("openssl pkey -in \(pem) -outform DER | tail -c 32 | base64 > \(key)").status == 0)
    #expect(fixture.check(["example.org"]) == Finding(sound: .dkim, "1 domain signed by 202001"))

    #expect(try runInShell("cat \(pem) > \(key)").status == 0)
    #expect(fixture.check(["example.org"]).detail.hasPrefix("example.org: \(key) is an Ed25519 key as PEM"))
  }

  @Test func keyThatTheUserCannotReadIsFoundAndItsHintMendsIt() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    let key = fixture.key("example.org")
    #expect(try runInShell("chown root:root \(key) && chmod 0640 \(key)").status == 0)
    let finding = fixture.check(["example.org"])
    #expect(!finding.sound && finding.detail == "example.org: nobody cannot read \(key): permission denied")
    #expect(finding.hint?.hasPrefix("chown nobody:nogroup ") == true)
    #expect(try runInShell(finding.hint ?? "false").status == 0)
    #expect(fixture.check(["example.org"]).sound)
  }

  @Test func directoryThatKeepsTheUserOutIsFound() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    #expect(try runInShell("chown root:root \(fixture.path) && chmod 0700 \(fixture.path)").status == 0)
    #expect(fixture.check(["example.org"]).detail.contains("nobody cannot read"))
    #expect(try runInShell("chmod 0755 \(fixture.path) && chmod 0700 \(fixture.parent.path)").status == 0)
    #expect(fixture.check(["example.org"]).detail.contains("nobody cannot read"))
  }

  @Test func groupsOfTheUserCount() throws {
    let fixture = try DKIMFixture(domains: ["example.org"])
    #expect(try runInShell("chown root:nogroup \(fixture.path)/* \(fixture.path)").status == 0)
    #expect(fixture.check(["example.org"]).sound)
  }

  @Test func checkingProcessStaysWhoItIs() throws {
    _ = try DKIMFixture(domains: ["example.org"]).check(["example.org"])
    #expect(getuid() == 0 && geteuid() == 0)
  }

  @Test func missingUserIsNamed() throws {
    let finding = try DKIMFixture(domains: ["example.org"]).check(["example.org"], user: "no-such-user")
    #expect(!finding.sound && finding.detail == "there is no user no-such-user to read the DKIM keys")
  }

  @Test func missingDirectoryIsNamed() throws {
    let fixture = try DKIMFixture()
    try FileManager.default.removeItem(atPath: fixture.path)
    #expect(fixture.check(["example.org"]).detail == "\(fixture.path) is missing")
    try Data().write(to: URL(fileURLWithPath: fixture.path))
    #expect(fixture.check(["example.org"]).detail == "\(fixture.path) is not a directory")
  }

  @Test(arguments: ["../example.org", "", ".", "a/b", "x y"])
  func domainThatIsNoNameLeadsToNoFile(domain: String) throws {
    let finding = try DKIMFixture(domains: ["example.org"]).check([domain])
    #expect(finding.grade == .warning && finding.detail == "\"\(domain)\" is no domain name")
  }

  @Test func manyProblemsAreCounted() throws {
    let finding = try DKIMFixture().check(["a.example", "b.example", "c.example", "d.example", "e.example"])
    #expect(finding.detail.hasSuffix("; and 2 more"))
  }
}
