import Foundation
import MachineKit
import SceneSupport
import Testing

/// A machine without mailboxes, whose mail goes through a mail host that `mailhost` has made.
/// One after the other: each has two hosts.
@Suite(.serialized)
struct MailhostRelayTests {
  private static let password = "fourteen-lemons"

  private func world(
    _ release: Release, _ test: (MailhostScene, NativeHost) async throws -> Void
  ) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.succeed(
        "printf '\(Self.password)' | mailcfg adduser --stdin relay@example.org && postsuper -d ALL >/dev/null 2>&1")
      let other = try await NativeHost.bare(release, isSecond: true)
      defer { other.close() }
      try await scene.host.connect("192.0.2.1/24", to: other, "192.0.2.2/24")
      try await other.succeed(
        """
        set -e
        sed -i '/mail.example.org/d' /etc/hosts
        printf '127.0.1.1 web1.home.example web1\\n192.0.2.1 mail.example.org\\n' >>/etc/hosts
        hostname web1
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install /root/mailboot.deb >/root/install.log 2>&1 ||
          { cat /root/install.log; exit 1; }
        """, timeout: .seconds(240))
      try await test(scene, other)
    }
  }

  /// Waits for mail with a text in it, and gives it.
  private func mail(_ scene: MailhostScene, with text: String) async throws -> String {
    try await scene.succeed(
      """
      for try in {1..80}; do
        file=$(grep -rl '\(text)' /vault/vmail/example.org/bob/new | head -1)
        [ -n "$file" ] && { cat "$file"; exit 0; }
        sleep 0.5
      done
      mailhost queue --long; journalctl --no-pager -n 30 -o cat -u 'postfix*'; exit 1
      """)
  }

  @Test(arguments: Release.both)
  func allMailOfTheMachineGoesThroughTheMailHost(_ release: Release) async throws {
    try await world(release) { scene, other in
      let call = "mailhost relay mail.example.org --login relay@example.org --to bob@example.org"
      let asked = try await other.run("mailhost relay")
      #expect(asked.status == 64 && asked.stderr.contains("hint: `mailhost relay mail.example.org"), "\(asked.stderr)")
      let plan = try await other.run("\(call) --check")
      #expect(plan.status == 2 && plan.stdout.contains("install package postfix\n"), "\(plan.stdout)\(plan.stderr)")
      #expect(try await other.run("ls /etc/postfix /etc/mailboot/relay.toml").status != 0)
      // The mail host itself is none.
      let itself = try await scene.run(call)
      #expect(itself.status == 1 && itself.stderr.contains("this machine is a mail host itself"), "\(itself.stderr)")

      let first = try await other.run("printf 'no-lemons' | \(call) --test", timeout: .seconds(240))
      // Nobody here knows who signed the certificate: nothing leaves.
      #expect(first.status == 1, "\(first.stdout)\(first.stderr)")
      #expect(first.stderr.contains("error: the test mail waits here: "), "\(first.stderr)")
      #expect(first.stderr.contains("the certificate must be for mail.example.org"), "\(first.stderr)")
      let authority = try await scene.succeed("cat /usr/local/share/mailboot-machine/ca.pem")
      try await other.put("/usr/local/share/ca-certificates/scene.crt", Data(authority.utf8), mode: 0o644)
      try await other.succeed("update-ca-certificates >/dev/null 2>&1; systemctl restart postfix")
      let wrong = try await other.run("mailhost relay --test")
      #expect(wrong.status == 1 && wrong.stdout == "nothing to do\n", "\(wrong.stdout)")
      #expect(wrong.stderr.contains("does not take the password of relay@example.org"), "\(wrong.stderr)")
      let right = try await other.run("printf '\(Self.password)' | mailhost relay --new-password --test")
      #expect(right.status == 0, "\(right.stdout)\(right.stderr)")
      #expect(right.stdout.contains("mail.example.org has the test mail: 250 "), "\(right.stdout)")
      #expect(try await other.succeed("stat -c %U:%a /etc/postfix/mailhost-login.*") == "root:600\n")
      #expect(try await other.run("grep -r '\(Self.password)' /etc/mailboot /var/lib/mailhost").status == 1)

      // As cron writes it. What waited comes, too.
      try await other.succeed(
        """
        printf 'From: root (Cron Daemon)\\nTo: root\\nSubject: Cron <root@web1> backup\\n\\nall saved\\n' | sendmail -i -FCronDaemon -oem root
        postqueue -f
        """)
      let cron = try await mail(scene, with: "^Subject: Cron <root@web1> backup")
      #expect(cron.contains("\nFrom: relay+web1.root@example.org (Cron Daemon)"), "\(cron)")
      #expect(cron.contains("\nDKIM-Signature: ") && cron.contains(" d=example.org;"), "\(cron)")
      #expect(cron.contains("Return-Path: <relay+web1.root@example.org>"), "\(cron)")
      _ = try await mail(scene, with: "^Subject: test of `mailhost relay`")
      // There were two of these.
      try await other.succeed(
        "for try in {1..60}; do [ \"$(mailhost queue)\" = 'nothing waits' ] && exit 0; sleep 0.5; done; mailhost queue; exit 1"
      )

      // A sender of whom the mail host knows nothing; whom to answer stays.
      try await other.succeed(
        "printf 'From: monit@web1.example.net\\nReply-To: carol@elsewhere.example\\nSubject: alert\\n\\nhot\\n' | "
          + "sendmail -i -f monit@web1.example.net root")
      let alert = try await mail(scene, with: "^Subject: alert")
      #expect(alert.contains("Return-Path: <relay+web1.monit@example.org>"), "\(alert)")
      #expect(alert.contains("\nReply-To: carol@elsewhere.example\n"), "\(alert)")
      // What cannot come back to its sender, either, comes to the administrator.
      try await other.succeed(
        "printf 'Subject: nowhere\\n\\nhot\\n' | sendmail -i -f nobody-here@example.org nobody-here@example.org")
      _ = try await mail(scene, with: "^Subject: Postmaster Copy: Undelivered Mail")

      // To the world it sends nothing, and says so.
      try await other.succeed("printf 'Subject: out\\n\\nout\\n' | sendmail someone@elsewhere.example")
      let refused = try await mail(scene, with: "someone@elsewhere.example.*said: 554")
      #expect(refused.contains("Relay access denied") || refused.contains("Recipient address rejected"), "\(refused)")
      let listening = try await other.succeed("ss -Hltn 'sport = :25' | awk '{print $4}' | sort")
      #expect(listening.split(separator: "\n") == ["127.0.0.1:25", "[::1]:25"], "\(listening)")

      // By the other port, with a password of its own; the one before goes.
      try await other.succeed("printf '\(Self.password)' | mailhost relay --port 587 --test")
      #expect(
        try await other.succeed("ls -d /etc/postfix/mailhost-login*")
          == "/etc/postfix/mailhost-login.mail.example.org.587.relay@example.org\n")
      #expect(try await other.succeed(call) == "nothing to do\n")
      try await other.succeed("echo 'relayhost = [elsewhere.example]' >>/etc/postfix/main.cf")
      let edited = try await other.run("mailhost relay")
      #expect(edited.status == 2 && edited.stderr.contains("hint: --keep or --overwrite"), "\(edited.stderr)")
      try await other.succeed("mailhost relay --overwrite /etc/postfix/main.cf --test")
    }
  }
}
