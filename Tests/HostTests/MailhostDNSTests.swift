import Foundation
import MachineKit
import SceneSupport
import Testing

/// The records that a host needs, printed by it, taken by a name server, and found to be right by it and by others.
@Suite(.serialized)
struct MailhostDNSTests {
  /// Who gets a mail evaluates SPF, DKIM and DMARC by itself.
  private static let authenticate = """
    import sys, authheaders
    with open(sys.argv[1], "rb") as file:
        mail = file.read()
    print(authheaders.authenticate_message(
        mail, "other.example.com", prev=None, spf=True, dkim=True, arc=False, dmarc=True,
        ip="192.0.2.1", mail_from="alice@example.org", helo="mail.example.org"))

    """

  /// Has the name server changed by commands as `nsupdate` reads them.
  private func update(_ names: NameServers, _ commands: String) async throws {
    try await names.host.put("/root/commands", Data(commands.utf8), mode: 0o600)
    try await names.host.succeed(
      """
      secret=$(sed -n 's/.*secret "\\(.*\\)".*/\\1/p' /root/update.key)
      { echo 'server 192.0.2.2'; echo "key hmac-sha256:mailhost $secret"; cat /root/commands; } | knsupdate
      # Until the secondary has looked.
      for i in {1..300}; do
        [ "$(kdig +short @192.0.2.3 SOA example.org)" = "$(kdig +short @192.0.2.2 SOA example.org)" ] &&
          [ "$(kdig +short @192.0.2.3 SOA example.net)" = "$(kdig +short @192.0.2.2 SOA example.net)" ] && exit 0
        sleep 0.2
      done
      exit 1
      """)
  }

  @Test(arguments: Release.both)
  func whatIsPrintedIsFoundToBeRight(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.own(
        """
        [postfix.main]
        transport_maps = "inline:{ other.example.com=smtp:[192.0.2.2]:25 }"
        [dns]
        lists = []
        silent_names = ["www.example.org"]
        """)
      try await scene.succeed(
        """
        mailhost apply --no-test
        # As certbot has it where its keys stay.
        mkdir -p /etc/letsencrypt/renewal; printf 'reuse_key = True\\n' >/etc/letsencrypt/renewal/mail.example.org.conf
        """)
      try await NameServers.beside(scene) { names in
        try await names.host.put("/root/update.key", Data(NameServers.key.utf8), mode: 0o600)
        try await names.host.put("/root/authenticate.py", Data(Self.authenticate.utf8), mode: 0o644)
        let servers = "ns1 A 192.0.2.2\nns2 A 192.0.2.3\nns3 A 192.0.2.4"
        try await names.start(
          records: ["example.org": servers, "example.net": "", "2.0.192.in-addr.arpa": "1 PTR mail.example.org."],
          signed: ["example.org"])
        try await scene.succeed("echo nameserver \(NameServers.resolver) >/etc/resolv.conf")

        let before = try await scene.run("mailhost dns check")
        #expect(before.status == 2, "\(before.stdout)\(before.stderr)")
        #expect(before.stdout.contains("MEND    example.org mx\n        has no MX record"), "\(before.stdout)")

        try await update(names, try await scene.succeed("mailhost dns --format nsupdate"))
        // The silent answers of before are forgotten by then.
        try await Task.sleep(for: .seconds(3))
        let after = try await scene.run("mailhost dns check --all")
        #expect(after.status == 0, "\(after.stdout)\(after.stderr)")
        for line in after.stdout.split(separator: "\n") { #expect(line.count < 80 || line.contains("`"), "\(line)") }
        #expect(after.stdout.contains("ok      _25._tcp.mail.example.org tlsa"), "\(after.stdout)")
        #expect(after.stdout.contains("ns3.example.org (192.0.2.4) refuses to answer"), "\(after.stdout)")
        #expect(try await scene.succeed("mailboot status").contains("dns       all right"))

        try await scene.succeed(
          """
          printf 'From: alice@example.org\\nTo: dave@other.example.com\\nSubject: who is it\\n\\nText.\\n' |
            sendmail -f alice@example.org dave@other.example.com
          """)
        let verdict = try await names.host.succeed(
          """
          for i in {1..100}; do [ -e /root/received/00000 ] && break; sleep 0.2; done
          python3 /root/authenticate.py /root/received/00000
          """)
        for word in ["spf=pass", "dkim=pass", "dmarc=pass"] { #expect(verdict.contains(word), "\(verdict)") }

        // Somebody breaks it: the administrator is told, once.
        try await update(names, "zone example.org\nupdate delete example.org. MX\nsend\n")
        try await Task.sleep(for: .seconds(11))
        try await scene.succeed("systemctl start mailhost-dns.service")
        try await scene.succeed(
          """
          for i in {1..100}; do grep -rqs 'DNS: what has changed' /vault/vmail/ && break; sleep 0.2; done
          grep -rq 'example.org mx' /vault/vmail/
          """)
        let again = try await scene.run("mailhost dns check --changes")
        #expect(again.status == 2)
        #expect(again.stdout == "", "\(again.stdout)")
        #expect(try await scene.succeed("mailboot status").contains("warn  example.org mx: has no MX record"))

        // For a resolver with the wrong key of the zone all of it is invented.
        try await scene.succeed("echo nameserver \(NameServers.distrustingResolver) >/etc/resolv.conf")
        let bogus = try await scene.run("mailhost dns check example.org")
        #expect(bogus.status > 0, "\(bogus.stdout)\(bogus.stderr)")
        #expect(bogus.stdout.contains("DNSSEC") || bogus.stdout.contains("SERVFAIL"), "\(bogus.stdout)\(bogus.stderr)")
        try await scene.succeed(": >/etc/resolv.conf")
        let alone = try await scene.run("mailhost dns check")
        // What was wrong when somebody could be asked is not over.
        #expect(alone.status == 2, "\(alone.stdout)\(alone.stderr)")
        #expect(alone.stdout.contains("MEND    example.org mx"), "\(alone.stdout)")
        #expect(alone.stdout.contains("no resolver"), "\(alone.stdout)")
      }
    }
  }
}
