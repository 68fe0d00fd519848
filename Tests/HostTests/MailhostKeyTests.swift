import Foundation
import MachineKit
import SceneSupport
import Testing

/// Keys that mail is signed with, in a small world of name servers of which one lags and one refuses.
/// One after the other: each has two hosts.
@Suite(.serialized)
struct MailhostKeyTests {
  /// A whole rotation of two domains, with two signatures each, and a mail of each every second: none leaves unsigned, none is
  /// verified by a key that is not there.
  @Test(arguments: Release.both)
  func aWholeRotationLosesNoSignature(_ release: Release) async throws {
    try await KeyWorld.with(release) { world in
      let (scene, names) = (world.scene, world.names)
      try await scene.succeed("mailhost dkim status")
      try await expectSigned(names)
      let verifiers = MailVerifiers(host: names.host)
      try await verifiers.follow()
      try await scene.succeed(
        """
        systemd-run --quiet --unit letters bash -c 'for ((i = 0; i < 300; i++)); do
          for domain in org net; do
            printf "From: alice@example.$domain\\nTo: dave@other.example.com\\nSubject: $i $domain\\n\\nThe text of letter $i.\\n" |
              sendmail -f alice@example.$domain dave@other.example.com
          done; sleep 1; done'
        """)
      // One server lags: nothing signs with a key that it does not show.
      try await names.holdBack()
      let early = try await scene.run("mailhost dkim rotate example.net")
      #expect(
        early.stdout.contains("does not sign yet:\n  ns2.example.org (192.0.2.3) does not show it yet"),
        "\(early.stdout)\(early.stderr)")
      #expect(!early.stdout.contains("signs now"), "\(early.stdout)")
      try await names.letGo()
      try await scene.succeed("echo 'dkim_ed25519 = true' >/etc/mailboot/mailhost.toml.d/60-own.toml")
      let said = try await world.rotate { $0.components(separatedBy: "signs now").count == 5 }
      #expect(said.contains("example.net: mailhost1 signs now in place of 202001"), "\(said)")
      #expect(said.contains("example.net: mailhost1e signs now"), "\(said)")
      try await Task.sleep(for: .seconds(3))
      // A week later: what came is verified once more, and nothing is removed before.
      let due = try await scene.run("mailhost dkim rotate --due")
      #expect(due.stdout.contains("the record of 202001 stays until"), "\(due.stdout)\(due.stderr)")
      try expectGood(try await verifiers.again())
      try await scene.succeed(
        "for mark in /vault/dkim/*.retiring; do date -u -d '-9 days' +%Y-%m-%dT%H:%M:%SZ >$mark; done")
      // The record of example.net is from before its zone led elsewhere: a person takes it out.
      let end = try await world.rotate("--due") { $0.contains("removed the key") }
      #expect(end.contains("example.org: removed the key 202001"), "\(end)")
      #expect(end.contains("example.net: remove this record"), "\(end)")
      #expect(end.contains("  name   202001._domainkey.example.net\n"), "\(end)")
      #expect(!end.contains("202001.example.net.dkim"), "\(end)")
      try await names.remove("202001._domainkey.example.net", from: "example.net")
      let last = try await world.rotate("--due") { $0.contains("removed the key") }
      #expect(last.contains("example.net: removed the key 202001"), "\(last)")
      #expect(try await names.host.run("kdig +short @192.0.2.2 TXT 202001._domainkey.example.org").stdout == "")
      try await Task.sleep(for: .seconds(2))
      try await scene.succeed(
        "systemctl is-active letters && systemctl stop letters; mailhost dkim status; mailboot verify")
      let verdicts = try await verifiers.followed()
      try expectGood(verdicts)
      let sent = try await scene.succeed("mailhost queue")
      #expect(Set(verdicts.map(\.mail)).count > 30, "\(sent)")
      // Both signatures of the last ones, and one of the first.
      let newest = try #require(verdicts.map(\.mail).max())
      for mail in (newest - 3)...newest {
        let good = verdicts.filter { $0.mail == mail && $0.verifier == "dkimpy" }.map(\.algorithm)
        #expect(good.sorted() == ["ed25519-sha256", "rsa-sha256"])
      }
      #expect(verdicts.filter { $0.mail == 0 }.map(\.algorithm) == ["rsa-sha256", "rsa-sha256"])
      // The old keys do not come back by themselves.
      #expect(try await scene.run("mailhost plan").status == 0)
    }
  }

  /// That the world is what it is to be: one zone verified, one without signatures, and a resolver for which the first is bogus.
  private func expectSigned(_ names: NameServers) async throws {
    func head(_ server: String, _ name: String) async throws -> String {
      try await names.host.succeed("kdig +dnssec @\(server) SOA \(name) | head -n 2")
    }
    let (signed, unsigned) = (
      try await head(NameServers.resolver, "example.org"), try await head(NameServers.resolver, "example.net")
    )
    #expect(signed.contains("NOERROR") && signed.contains(" ad;"), "\(signed)")
    #expect(unsigned.contains("NOERROR") && !unsigned.contains(" ad;"), "\(unsigned)")
    let bogus = try await head(NameServers.distrustingResolver, "example.org")
    #expect(bogus.contains("SERVFAIL"), "\(bogus)")
  }

  private func expectGood(_ verdicts: [MailVerifiers.Verdict], sourceLocation: SourceLocation = #_sourceLocation) throws
  {
    let bad = verdicts.filter { !$0.isGood }
    #expect(bad.isEmpty, "\(bad.prefix(5))", sourceLocation: sourceLocation)
    #expect(Set(verdicts.map(\.verifier)) == ["dkimpy", "Mail::DKIM"], sourceLocation: sourceLocation)
  }
}
