import Foundation
import HostChecks
import MailbootCore
import TestSupport
import Testing

private let day: Int64 = 86400

extension CertificateFixture {
  fileprivate var pair: CertificateRequest.Pair { CertificateRequest.Pair(certificate: certificate, key: key) }

  /// By default right after it was made; days later otherwise.
  fileprivate func check(daysLater: Double = 0, hostName: String? = "mail.example.org") -> [Finding] {
    let now = Int64(Date().timeIntervalSince1970) + 60 + Int64(daysLater * 86400)
    let request = CertificateRequest(pairs: [pair], hostName: hostName)
    return checkCertificate(request, now: now).findings
  }
}

@Suite("Certificate")
struct CertificateTests {
  @Test func soundCertificateHasThreeSoundFindings() throws {
    let findings = try CertificateFixture().check()
    #expect(findings.map(\.check) == [.certificate, .certificateExpiry, .certificateNames])
    #expect(findings.map(\.sound) == [true, true, true] && findings.map(\.hint) == [nil, nil, nil])
    #expect(findings[0].detail == "certificate and key match, 1 certificate in the chain")
    #expect(findings[1].detail.hasPrefix("valid until 20") && findings[1].detail.hasSuffix(" (89 days)"))
    #expect(findings[2].detail == "covers mail.example.org")
  }

  @Test func linksAreFollowedAsLetsEncryptMakesThem() throws {
    let fixture = try CertificateFixture()
    for path in [fixture.certificate, fixture.key] {
      try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path + ".1")
    }
    #expect(fixture.check()[0].sound)
  }

  @Test(arguments: [
    (84.0, "expires in 5 days"), (86.5, "expires in 3 days"), (89.5, "expires in 11 hours"),
    (89.97, "expires in 0 hours"),
  ])
  func certificateThatExpiresSoonIsToldWithTheTimeLeft(days: Double, expected: String) throws {
    let finding = try CertificateFixture().check(daysLater: days)[1]
    #expect(finding == Finding(.certificateExpires, expected, hint: "renew it: certbot renew"))
  }

  @Test func sevenDaysAreEnough() throws {
    #expect(try CertificateFixture().check(daysLater: 82.9)[1].sound)
  }

  @Test func expiredCertificateIsToldWithItsDay() throws {
    let finding = try CertificateFixture().check(daysLater: 100)[1]
    #expect(!finding.sound && finding.detail.hasPrefix("expired on 20"))
  }

  @Test func certificateFromTheFutureIsTold() throws {
    let finding = try CertificateFixture().check(daysLater: -2)[1]
    #expect(!finding.sound && finding.detail.hasPrefix("not valid before 20"))
    #expect(finding.hint?.contains("timedatectl") == true)
  }

  @Test func namesThatDoNotCoverTheHostAreListed() throws {
    let fixture = try CertificateFixture(names: ["example.org", "www.example.org"])
    #expect(fixture.check()[2].detail == "does not cover mail.example.org, only example.org, www.example.org")
  }

  @Test func wildcardCoversOneLevel() throws {
    let fixture = try CertificateFixture(names: ["*.example.org"])
    #expect(fixture.check()[2].sound)
    #expect(fixture.check(hostName: "MAIL.example.org.")[2].sound)
    #expect(!fixture.check(hostName: "a.mail.example.org")[2].sound)
    #expect(!fixture.check(hostName: "example.org")[2].sound)
  }

  @Test func commonNameCountsOnlyWithoutOtherNames() throws {
    #expect(try CertificateFixture(names: []).check()[2].sound)
    let other = try CertificateFixture(names: ["example.org"])
    #expect(!other.check()[2].sound)
  }

  @Test func withoutAHostNameNamesAreNotChecked() throws {
    let findings = try CertificateFixture().check(hostName: nil)
    #expect(findings.map(\.applies) == [true, true, false])
  }

  @Test func keyOfAnotherCertificateDoesNotMatch() throws {
    let fixture = try CertificateFixture()
    let other = try CertificateFixture()
    let request = CertificateRequest(
      pairs: [CertificateRequest.Pair(certificate: fixture.certificate, key: other.key)], hostName: nil)
    let finding = checkCertificate(request, now: 0).findings[0]
    #expect(finding.detail == "\(other.key) is not the key of \(fixture.certificate)")
  }

  @Test func chainInTheWrongOrderIsTold() throws {
    let fixture = try CertificateFixture()
    let other = try CertificateFixture()
    #expect(try runInShell("cat \(fixture.certificate) >> \(other.certificate)").status == 0)
    let request = CertificateRequest(
      pairs: [CertificateRequest.Pair(certificate: other.certificate, key: fixture.key)], hostName: nil)
    let finding = checkCertificate(request, now: 0).findings[0]
    #expect(!finding.sound && finding.detail == "\(other.certificate) has the host's certificate in place 2")
  }

  @Test func chainIsCounted() throws {
    let fixture = try CertificateFixture()
    let other = try CertificateFixture()
    #expect(try runInShell("cat \(other.certificate) >> \(fixture.certificate)").status == 0)
    #expect(fixture.check()[0].detail == "certificate and key match, 2 certificates in the chain")
  }

  @Test func missingCertificateLeavesOnlyOneFinding() throws {
    let fixture = try CertificateFixture()
    try FileManager.default.removeItem(atPath: fixture.certificate)
    #expect(fixture.check() == [Finding(.certificateMissing, "\(fixture.certificate) is missing")])
  }

  @Test func fileWithoutACertificateIsTold() throws {
    let fixture = try CertificateFixture()
    #expect(try runInShell("cp \(fixture.key) \(fixture.certificate)").status == 0)
    #expect(
      fixture.check()
        == [Finding(.certificateMissing, "\(fixture.certificate) has no PEM certificate in it")])
  }

  @Test func missingOrUnreadableKeyIsToldBesideExpiryAndNames() throws {
    let fixture = try CertificateFixture()
    try FileManager.default.removeItem(atPath: fixture.key)
    #expect(fixture.check()[0].detail == "\(fixture.key) is missing")
    #expect(fixture.check().map(\.sound) == [false, true, true])
    try fixture.directory.write("privkey.pem", "nothing\n", mode: 0o600)
    #expect(fixture.check()[0].detail.hasPrefix("\(fixture.key) is not a PEM private key ("))
    #expect(
      try runInShell(
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:x > \(fixture.key)"
      ).status == 0)
    #expect(fixture.check()[0].detail == "\(fixture.key) is encrypted with a passphrase")
  }

  @Test func keyOpenToEverybodyIsFoundAndItsHintClosesIt() throws {
    let fixture = try CertificateFixture()
    #expect(chmod(fixture.key, 0o644) == 0)
    let finding = fixture.check()[0]
    #expect(finding.grade == .warning && finding.detail == "\(fixture.key) is open to everybody (0644)")
    #expect(try runInShell(finding.hint ?? "false").status == 0)
    #expect(fixture.check()[0].sound)
  }

  /// What is parsed may be anybody's, so by then nothing may need root any more.
  @Test func everyFileIsReadBeforeAnythingIsParsed() throws {
    let fixture = try CertificateFixture()
    let request = CertificateRequest(pairs: [fixture.pair], hostName: nil)
    let findings = checkCertificate(request, now: Int64(Date().timeIntervalSince1970) + 60) {
      try? FileManager.default.removeItem(atPath: fixture.certificate)
      try? FileManager.default.removeItem(atPath: fixture.key)
    }.findings
    #expect(findings[0].sound && findings[1].sound)
  }

  @Test func certificateAndKeyMayBeInOneFile() throws {
    let fixture = try CertificateFixture()
    #expect(try runInShell("cat \(fixture.certificate) >> \(fixture.key)").status == 0)
    let request = CertificateRequest(
      pairs: [CertificateRequest.Pair(certificate: fixture.key, key: fixture.key)], hostName: nil)
    #expect(checkCertificate(request, now: 0).findings[0].sound)
  }
}
