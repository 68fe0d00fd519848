import Foundation
import MachineKit
import SceneSupport
import Testing

/// Keys that mail is signed with, in a small world of name servers of which one lags and one refuses.
/// One after the other: each has two hosts.
@Suite(.serialized)
struct MailhostKeyTests {
  private func world(
    _ release: Release, _ test: (MailhostScene, NativeHost) async throws -> Void
  ) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.own(
        """
        [postfix.main]
        transport_maps = "inline:{ other.example.com=smtp:[192.0.2.2]:25 }"
        [dns]
        publish = "nsupdate"
        server = "192.0.2.2"
        key_file = "/etc/mailboot/tsig.key"
        cname_base = "dkim.example.org"
        [dns.domain."example.net"]
        publish = "cname"
        """)
      try await scene.host.put("/etc/mailboot/tsig.key", Data(NameServers.key.utf8), mode: 0o600)
      try await scene.succeed("mailhost apply --no-test")
      let other = try await NativeHost.bare(release, isSecond: true)
      defer { other.close() }
      try await scene.host.connect("192.0.2.1/24", to: other, "192.0.2.2/24")
      try await other.succeed(
        """
        set -e
        sed -i 's/mail.example.org mail/other.example.com other/' /etc/hosts
        hostname other
        printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \(NameServers.packages) >/root/install.log 2>&1 ||
          { cat /root/install.log; exit 1; }
        """, timeout: .seconds(300))
      try await other.put("/usr/local/bin/verify", Data(NameServers.verifier.utf8), mode: 0o755)
      // What signs already is published, as on every host.
      let published = try await scene.succeed("mailhost dkim records --format zone")
      let lines = published.split(separator: "\n").filter { $0.contains(" TXT ") && !$0.contains("dkim.example.org.") }
      let own = lines.filter { $0.contains(".example.org. ") }.joined(separator: "\n")
      let net = try await scene.succeed("cat /vault/dkim/example.net.202001.txt")
      try await NameServers(host: other).start(records: [
        "example.org": NameServers.addresses + own,
        "example.net": """
        \(net)
        mailhost1._domainkey CNAME mailhost1.example.net.dkim.example.org.
        mailhost2._domainkey CNAME mailhost2.example.net.dkim.example.org.
        @ MX 10 mail.example.org.
        """,
      ])
      try await scene.succeed("echo nameserver 192.0.2.5 >/etc/resolv.conf")
      try await test(scene, other)
    }
  }

  /// A whole rotation of two domains, with a mail of each every second: none leaves unsigned, none is verified by a key that is not there.
  @Test(arguments: Release.both)
  func aWholeRotationLosesNoSignature(_ release: Release) async throws {
    try await world(release) { scene, other in
      let status = try await scene.run("mailhost dkim status")
      #expect(status.status == 0, "\(status.stdout)\(status.stderr)")
      try await scene.succeed(
        """
        systemd-run --quiet --unit letters bash -c 'for ((i = 0; i < 400; i++)); do
          for domain in org net; do
            printf "From: alice@example.$domain\\nTo: dave@other.example.com\\nSubject: $i $domain\\n\\nThe text of letter $i.\\n" |
              sendmail -f alice@example.$domain dave@other.example.com
          done; sleep 1; done'
        """)
      // Each is verified as it comes.
      try await other.succeed(
        """
        touch /root/failed
        systemd-run --quiet --unit verifying bash -c 'next=0; while sleep 0.2; do
          file=$(printf /root/received/%05d $next); [ -e $file ] || continue
          verify $file >>/root/failed; next=$((next + 1)); done'
        """)
      var said = ""
      for _ in 0..<40 {
        let step = try await scene.run("mailhost dkim rotate")
        try #require(step.status == 0, "\(step.stdout)\(step.stderr)")
        said += step.stdout
        // Both of them.
        if said.components(separatedBy: "signs now").count == 3 { break }
        try await Task.sleep(for: .seconds(1))
      }
      #expect(said.contains("example.net: mailhost1 signs now in place of 202001"), "\(said)")
      #expect(said.contains("does not sign yet:\n  ns2.example.org (192.0.2.3) does not show it yet"), "\(said)")
      try await Task.sleep(for: .seconds(5))
      // A week later: what came is verified once more, and nothing is removed before.
      let early = try await scene.run("mailhost dkim rotate --due")
      #expect(early.stdout.contains("the record of 202001 stays until"), "\(early.stdout)\(early.stderr)")
      let waiting = try await scene.succeed("mailhost queue")
      let sink = try await other.succeed("ls /root/received | wc -l; journalctl --no-pager -u sink -n 20")
      let log = try await scene.succeed("journalctl --no-pager -o cat -u 'postfix*' -n 12")
      #expect(Int(sink.prefix { $0.isNumber }) ?? 0 > 10, "\(waiting)\(sink)\(log)")
      let late = try await other.succeed("verify /root/received/[0-9][0-9][0-9][0-9][0-9]", timeout: .seconds(400))
      #expect(late == "", "\(late)")
      try await scene.succeed(
        "for mark in /vault/dkim/*.retiring; do date -u -d '-9 days' +%Y-%m-%dT%H:%M:%SZ >$mark; done")
      for _ in 0..<30 {
        said += try await scene.run("mailhost dkim rotate --due").stdout
        if try await scene.run("ls /vault/dkim/*.202001.key").status != 0 { break }
        try await Task.sleep(for: .seconds(1))
      }
      #expect(said.contains("example.org: removed the key 202001"), "\(said)")
      #expect(try await other.run("kdig +short @192.0.2.2 TXT 202001._domainkey.example.org").stdout == "")
      try await Task.sleep(for: .seconds(3))
      try await scene.succeed("systemctl stop letters; mailhost dkim status; mailboot verify")
      #expect(try await other.succeed("cat /root/failed") == "")
      let count = try await other.succeed("ls /root/received | wc -l")
      #expect((Int(count.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 30)
      // The old keys do not come back by themselves.
      #expect(try await scene.run("mailhost plan").status == 0)
    }
  }
}
