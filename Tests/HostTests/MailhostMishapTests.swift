import Foundation
import MachineKit
import SceneSupport
import Testing

/// What goes wrong with `apply` leaves a host that works as before.
struct MailhostMishapTests {
  @Test(arguments: Release.both)
  func aServiceThatDoesNotComeBackIsTakenBack(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      let before = try await scene.succeed("sha256sum /etc/postfix/*.cf /etc/dovecot/dovecot.conf")
      // Postfix takes it, and then finds no such address on this host.
      try await scene.own("[postfix.main]\ninet_interfaces = \"203.0.113.1\"")
      let applied = try await scene.run("mailhost apply")
      #expect(applied.status == 1)
      #expect(applied.stderr.contains("error: the files are as before\n"), "\(applied.stderr)")
      #expect(applied.stderr.contains("hint: "))
      #expect(try await scene.succeed("sha256sum /etc/postfix/*.cf /etc/dovecot/dovecot.conf") == before)
      try await scene.succeed("rm /etc/mailboot/mailhost.toml.d/50-own.toml")
      try await scene.expectProven()
      #expect(try await scene.run("mailhost plan").status == 0)
    }
  }

  /// The validators say yes; only the test sees it.
  @Test(arguments: Release.both)
  func aHostThatBreaksItsPromiseIsTakenBack(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.own("[postfix.main]\nsubmission_sender_restrictions = \"\"")
      let plan = try await scene.run("mailhost plan --short")
      #expect(
        plan.stderr.contains("warning: /etc/mailboot/mailhost.toml.d/50-own.toml:2: submission_sender_restrictions"),
        "\(plan.stderr)")
      let applied = try await scene.run("mailhost apply")
      #expect(applied.status == 1)
      #expect(applied.stderr.contains("error: test: the host does not do all that it is to do\n"), "\(applied.stderr)")
      #expect(applied.stderr.contains("  | forged-sender: "))
      #expect(applied.stderr.contains("error: the files are as before\n"))
      try await scene.succeed("rm /etc/mailboot/mailhost.toml.d/50-own.toml")
      try await scene.expectProven()
    }
  }

  @Test(arguments: Release.both)
  func whatTheDaemonsCannotReadIsNeverWritten(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      let before = try await scene.succeed("find /etc -type f | sort | xargs sha256sum")
      try await scene.succeed("printf 'no_such_setting = yes\\n' >/etc/dovecot/mine.conf")
      try await scene.own("[dovecot]\nextra = \"/etc/dovecot/mine.conf\"")
      let applied = try await scene.run("mailhost apply")
      #expect(applied.status == 1)
      #expect(applied.stderr.contains("dovecot does not take its new configuration"), "\(applied.stderr)")
      #expect(applied.stderr.contains("error: nothing that mail depends on was changed\n"))
      try await scene.succeed(
        "rm /etc/dovecot/mine.conf /etc/mailboot/mailhost.toml.d/50-own.toml; rmdir /etc/mailboot/mailhost.toml.d")
      #expect(try await scene.succeed("find /etc -type f | sort | xargs sha256sum") == before)
    }
  }

  @Test func aPortThatSomebodyElseHasIsNamed() async throws {
    try await MailhostScene.bare(.debian13) { scene in
      try await scene.succeed(
        """
        systemd-run --quiet --unit other python3 -c 'import socket, time
        s = socket.create_server(("127.0.0.1", 25)); time.sleep(600)'
        for i in {1..50}; do grep -q ':0019 ' /proc/net/tcp && break; sleep 0.1; done
        """)
      let applied = try await scene.run("mailhost apply")
      #expect(applied.status == 1)
      #expect(applied.stderr.contains("error: port 25 is taken by python3 (process "), "\(applied.stderr)")
      #expect(try await scene.run("test -e /etc/postfix").status == 1)
    }
  }

  @Test(arguments: Release.both)
  func aPostfixOfSomebodyElsesIsNotReplacedUnasked(_ release: Release) async throws {
    try await MailhostScene.bare(release) { scene in
      try await scene.succeed(
        """
        set -e
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install postfix >/dev/null 2>&1
        postconf -e 'relayhost = [smarthost.example]' 'smtpd_milters = inet:127.0.0.1:8891' 'virtual_alias_maps = hash:/etc/postfix/virtual'
        """)
      let applied = try await scene.run("mailhost apply", timeout: .seconds(900))
      #expect(applied.status == 2)
      #expect(applied.stdout.contains("decide  file /etc/postfix/main.cf (is not ours)"), "\(applied.stdout)")
      #expect(applied.stdout.contains("mailhost apply --overwrite /etc/postfix/main.cf"))
      #expect(try await scene.succeed("postconf -h relayhost") == "[smarthost.example]\n")
    }
  }

  /// Else the daemons serve the old certificate until it has expired, and longer.
  @Test(arguments: Release.both)
  func aRenewedCertificateIsServedAtOnce(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.succeed("mkdir -p /etc/letsencrypt/renewal-hooks/deploy; mailhost apply --no-test")
      let renew = """
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 60 -subj /CN=mail.example.org \
          -addext subjectAltName=DNS:mail.example.org -keyout /etc/letsencrypt/live/mail.example.org/privkey.pem \
          -out /etc/letsencrypt/live/mail.example.org/fullchain.pem 2>/dev/null
        """
      try await scene.succeed(renew)
      #expect(try await scene.failedProofs() == ["certificate-served"])
      // As certbot calls it; of another certificate it is none of our business.
      let hook = "/etc/letsencrypt/renewal-hooks/deploy/mailhost"
      try await scene.succeed("RENEWED_DOMAINS='www.example.org' \(hook)")
      #expect(try await scene.failedProofs() == ["certificate-served"])
      try await scene.succeed("RENEWED_DOMAINS='www.example.org mail.example.org' \(hook); sleep 1")
      try await scene.expectProven()
    }
  }

  /// As a run leaves it that was ended in its midst: a generation is begun, and one of its files is written.
  private static let begin = """
    set -e
    cd /var/lib/mailhost/generations
    current=$(cat ../current); next=$((current + 1))
    cp -a $current $next
    sed -i "s/\\"number\\": $current/\\"number\\": $next/" $next/generation.json
    mkdir -p $next/before/etc
    for file in $(cd $next/files; find etc -type f); do mkdir -p $next/before/${file%/*}; cp /$file $next/before/$file; done
    python3 - $next <<'END'
    import json, sys
    path = f"/var/lib/mailhost/generations/{sys.argv[1]}/generation.json"
    record = json.load(open(path))
    for entry in record["entries"]: entry["before"] = entry["present"]
    json.dump(record, open(path, "w"))
    END
    echo $next >../pending

    """

  /// A kill while the files are written: the unlock after the reboot has the old ones again.
  @Test func aPowerCutWhileFilesAreWrittenEndsInTheOldState() async throws {
    try await MailhostScene.made(.debian13) { scene in
      let before = try await scene.succeed("sha256sum /etc/postfix/main.cf /etc/dovecot/dovecot.conf")
      try await scene.succeed(Self.begin + "echo 'half = written' >/etc/postfix/main.cf")
      try await scene.host.powerCut()
      try await scene.host.bootAgain()
      let unlocked = try await scene.run("printf '\(GuestCredentials.vaultPassphrase)' | mailboot --stdin")
      #expect(unlocked.status == 0, "\(unlocked.stderr)")
      #expect(unlocked.stderr.contains("fill"), "\(unlocked.stderr)")
      #expect(try await scene.succeed("sha256sum /etc/postfix/main.cf /etc/dovecot/dovecot.conf") == before)
      try await scene.expectProven()
    }
  }

  /// A kill after the daemons have read the new files: they read the old ones again.
  @Test func whatDaemonsHaveReadOfAKilledCallIsTakenBackToo() async throws {
    try await MailhostScene.made(.debian13) { scene in
      let memory = "redis-cli config get maxmemory | tail -n 1"
      let before = try await scene.succeed(memory)
      try await scene.succeed(
        Self.begin + """
          sed -i 's/^maxmemory .*/maxmemory 99mb/' /etc/redis/mailhost.conf
          systemctl restart redis-server
          """)
      #expect(try await scene.succeed(memory) == "103809024\n")
      let applied = try await scene.run("mailhost apply --no-test")
      #expect(applied.status == 0, "\(applied.stderr)")
      #expect(applied.stderr.contains("what it had begun was taken back"), "\(applied.stdout)\(applied.stderr)")
      #expect(try await scene.succeed(memory) == before)
    }
  }
}
