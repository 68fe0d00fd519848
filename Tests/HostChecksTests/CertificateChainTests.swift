import COpenSSL
import Foundation
import HostChecks
import MailbootCore
import TestSupport
import Testing

/// A root, an intermediate and a host's certificate, made by `openssl`.
private struct Authority {
  let directory: TemporaryDirectory
  var fullChain: String { directory.file("fullchain.pem") }
  var leaf: String { directory.file("leaf.pem") }
  var key: String { directory.file("leaf.key") }

  init(hostDays: Int = 90, intermediateDays: Int = 1000) throws {
    directory = try TemporaryDirectory()
    let make = """
      set -e; cd \(directory.path)
      ec() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; chmod 600 $1.key; }
      ec root; ec middle; ec leaf
      openssl req -x509 -key root.key -subj /CN=Root -days 3650 -out root.pem
      openssl req -new -key middle.key -subj /CN=Middle -out middle.csr
      printf 'basicConstraints=critical,CA:true\\n' >ca.ext
      openssl x509 -req -in middle.csr -CA root.pem -CAkey root.key -days \(intermediateDays) -extfile ca.ext -out middle.pem
      openssl req -new -key leaf.key -subj /CN=mail.example.org -out leaf.csr
      printf 'subjectAltName=DNS:mail.example.org\\n' >leaf.ext
      openssl x509 -req -in leaf.csr -CA middle.pem -CAkey middle.key -days \(hostDays) -extfile leaf.ext -out leaf.pem
      cat leaf.pem middle.pem >fullchain.pem
      """
    let made = try runInShell(make)
    guard made.status == 0 else { throw SQLError(message: made.output) }
  }

  func check(_ certificate: String? = nil, daysLater: Double = 0) -> [Finding] {
    let now = Int64(Date().timeIntervalSince1970) + 60 + Int64(daysLater * 86400)
    let pair = CertificateRequest.Pair(certificate: certificate ?? fullChain, key: key)
    return checkCertificate(CertificateRequest(pairs: [pair], hostName: "mail.example.org"), now: now).findings
  }
}

@Suite("Certificate chains", .serialized)
struct CertificateChainTests {
  @Test func aChainWithItsIntermediateIsSound() throws {
    let findings = try Authority().check()
    #expect(findings.map(\.sound) == [true, true, true])
    #expect(findings[0].detail == "certificate and key match, 2 certificates in the chain")
  }

  @Test func aChainWithoutItsIntermediateIsWarnedAbout() throws {
    let authority = try Authority()
    let finding = authority.check(authority.leaf)[0]
    #expect(finding.kind == .certificateChain && finding.grade == .warning)
    #expect(
      finding.detail == "\(authority.leaf) lacks the certificate of Middle, which signed the host's: phones refuse it")
  }

  /// Then nothing is missing: clients have the root.
  @Test func oneSignedByATrustedRootNeedsNoMore() throws {
    let authority = try Authority()
    setenv("SSL_CERT_FILE", authority.directory.file("middle.pem"), 1)
    defer { unsetenv("SSL_CERT_FILE") }
    #expect(authority.check(authority.leaf)[0].sound)
  }

  @Test func anIntermediateThatExpiresIsWarnedAboutByItsName() throws {
    let authority = try Authority(intermediateDays: 30)
    #expect(authority.check()[1].sound)
    let soon = authority.check(daysLater: 26)[1]
    #expect(soon.kind == .certificateExpires && soon.grade == .warning)
    #expect(soon.detail == "the intermediate certificate Middle expires in 3 days")
    #expect(authority.check(daysLater: 31)[1].kind == .certificateExpired)
  }

  @Test(arguments: [(1.0, true), (3.9, true), (4.1, false), (5.5, false)])
  func aCertificateOfSixDaysIsWarnedAboutInTheLastThirdOfItsLife(daysLater: Double, sound: Bool) throws {
    #expect(try Authority(hostDays: 6).check(daysLater: daysLater)[1].sound == sound)
  }

  @Test func aGroupMayReadTheKey() throws {
    let authority = try Authority()
    #expect(try runInShell("chgrp nogroup \(authority.key) && chmod 0640 \(authority.key)").status == 0)
    #expect(authority.check()[0].sound)
  }

  @Test func chainFilesAreReadAsPostfixReadsThem() throws {
    let authority = try Authority()
    let one = authority.directory.file("one.pem")
    #expect(try runInShell("umask 077; cat \(authority.key) \(authority.fullChain) >\(one)").status == 0)
    func check(_ files: [String]) -> Finding {
      checkCertificate(CertificateRequest(pairs: [], chainFiles: files, hostName: nil), now: Int64(time(nil))).findings[
        0]
    }
    #expect(check([one]).sound)
    #expect(check([authority.key, authority.fullChain]).sound)
    let rsa = try CertificateFixture()
    #expect(
      check([authority.key, authority.fullChain, rsa.key, rsa.certificate]).detail.hasSuffix(
        "and 1 certificate in the chain"))
    #expect(check([authority.fullChain]).kind == .certificateKeyMissing)
    #expect(check([rsa.key, authority.fullChain]).kind == .certificateKeyForeign)
    #expect(check([authority.directory.file("none")]).kind == .certificateMissing)
  }

  @Test func bothOfTwoCertificatesAreLookedAt() throws {
    let (one, other) = (try Authority(), try Authority(hostDays: 2))
    let pairs = [one, other].map { CertificateRequest.Pair(certificate: $0.fullChain, key: $0.key) }
    let later = Int64(time(nil)) + 2 * 86400 - 3600
    let findings = checkCertificate(CertificateRequest(pairs: pairs, hostName: nil), now: later).findings
    #expect(findings[0].sound && findings[1].kind == .certificateExpires)
  }
}

/// What a service shows is not what lies on the disk.
@Suite("Served certificates", .serialized)
struct ServedCertificateTests {
  private func check(_ disk: CertificateFixture, servedAt url: String) -> Finding {
    let pair = CertificateRequest.Pair(certificate: disk.certificate, key: disk.key)
    let request = CertificateRequest(pairs: [pair], hostName: "mail.example.org", served: [url])
    return checkCertificate(request, now: Int64(time(nil)) + 60).findings[0]
  }

  @Test func anOlderOneForTheSameNamesIsWarnedAbout() throws {
    let (old, new) = (try CertificateFixture(days: 20), try CertificateFixture(days: 90))
    let server = try ProbeServer(tls: old) { connection, _ in connection.send("* OK ready\r\n") }
    let url = "imaps://127.0.0.1:\(server.port)"
    let finding = check(new, servedAt: url)
    #expect(finding.kind == .certificateServed && finding.grade == .warning)
    #expect(finding.detail.hasPrefix("\(url) shows one valid until 20"))
  }

  @Test func behindSTARTTLSItIsLookedAtToo() throws {
    let (old, new) = (try CertificateFixture(days: 20), try CertificateFixture(days: 90))
    nonisolated(unsafe) let context = try old.serverContext()
    defer { SSL_CTX_free(context) }
    let server = try ProbeServer { connection, _ in
      connection.send("220-mail.example.org\r\n220 ESMTP\r\n")
      while let line = connection.line() {
        if line.hasPrefix("EHLO") { connection.send("250-mail.example.org\r\n250-STARTTLS\r\n250 8BITMIME\r\n") }
        guard line == "STARTTLS" else { continue }
        connection.send("220 2.0.0 Ready to start TLS\r\n")
        return connection.startTLS(context)
      }
    }
    #expect(check(new, servedAt: "smtp://127.0.0.1:\(server.port)").kind == .certificateServed)
    let plain = try ProbeServer { connection, _ in
      connection.send("220 ESMTP\r\n")
      while let line = connection.line(), line != "QUIT" { connection.send("250 mail.example.org\r\n") }
    }
    #expect(check(new, servedAt: "smtp://127.0.0.1:\(plain.port)").sound)
  }

  @Test func theOneOnTheDiskAndOneOfAnotherNameAreNot() throws {
    let new = try CertificateFixture(days: 90)
    let same = try ProbeServer(tls: new) { connection, _ in connection.send("* OK ready\r\n") }
    #expect(check(new, servedAt: "imaps://127.0.0.1:\(same.port)").sound)
    let foreign = try CertificateFixture(names: ["imap.example.org"], days: 20)
    let other = try ProbeServer(tls: foreign) { connection, _ in connection.send("* OK ready\r\n") }
    #expect(check(new, servedAt: "imaps://127.0.0.1:\(other.port)").sound)
  }

  /// Dovecot may have one of its own, which nothing else looks at.
  @Test func oneOfAnotherNameThatExpiresIsWarnedAbout() throws {
    let disk = try CertificateFixture(days: 90)
    let own = try CertificateFixture(names: ["imap.example.org"], days: 20)
    let server = try ProbeServer(tls: own) { connection, _ in connection.send("* OK ready\r\n") }
    let url = "imaps://127.0.0.1:\(server.port)"
    let pair = CertificateRequest.Pair(certificate: disk.certificate, key: disk.key)
    let request = CertificateRequest(pairs: [pair], hostName: nil, served: [url])
    let findings = checkCertificate(request, now: Int64(time(nil)) + 17 * 86400 + 43200).findings
    #expect(findings[0].sound && findings[1].kind == .certificateExpires)
    #expect(findings[1].detail == "what \(url) shows expires in 2 days")
  }

  @Test func aServiceThatDoesNotRunIsNotThisChecksBusiness() throws {
    #expect(check(try CertificateFixture(), servedAt: "imaps://127.0.0.1:1").sound)
  }
}
