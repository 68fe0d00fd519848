import Foundation
import MachineKit
import SceneSupport
import Testing

/// From a bare Debian to a proven mail host, from one file.
struct MailhostBareTests {
  @Test(arguments: Release.both)
  func tenLinesMakeAMailHostThatPassesItsTest(_ release: Release) async throws {
    try await MailhostScene.bare(release) { scene in
      // Whoever listens on port 25 before the vault is open.
      try await scene.succeed(
        """
        systemd-run --quiet --unit watch25 bash -c 'while sleep 0.1; do
          if grep -q ":0019 00000000:0000 0A" /proc/net/tcp /proc/net/tcp6; then touch /run/port25; fi; done'
        """)
      let plan = try await scene.run("mailhost plan --short")
      #expect(plan.status == 2)
      for line in ["install package postfix\n", "create  user vmail", "create  file /etc/postfix/main.cf\n"] {
        #expect(plan.stdout.contains(line), "\(plan.stdout)")
      }
      let applied = try await scene.run("mailhost apply", timeout: .seconds(900))
      #expect(applied.status == 0, "\(applied.stdout)\(applied.stderr)")
      #expect(applied.stdout.contains("The vault is closed. What is in it is made when it is opened"))
      #expect(try await scene.run("test -e /run/port25").status == 1)
      #expect(try await scene.run("test -e /usr/sbin/policy-rc.d").status == 1)
      #expect(try await scene.run("mailhost plan --short").status == 2)
      try await scene.succeed("systemctl stop watch25")

      try await scene.unlock()
      let tested = try await scene.run("mailhost test")
      #expect(tested.status == 0, "\(tested.stdout)\(tested.stderr)")
      let before = try await scene.succeed(
        "find /etc /vault/maildb /vault/dkim /vault/sieve -type f -printf '%p %T@\\n' | sort")
      let again = try await scene.run("time -p mailhost apply")
      #expect(again.stdout == "nothing to do\n", "\(again.stdout)\(again.stderr)")
      #expect(again.status == 0)
      #expect(try await scene.run("mailhost plan").status == 0)
      let after = try await scene.succeed(
        "find /etc /vault/maildb /vault/dkim /vault/sieve -type f -printf '%p %T@\\n' | sort")
      #expect(after == before)
      #expect(try await scene.succeed("mailcfg lsuser") == "alice@example.org\nbob@example.org\n")
      // Its result is where people look.
      #expect(try await scene.succeed("mailboot status --format json").contains("\"host_test\": {"))
    }
  }

  /// Debian 12 becomes Debian 13, whose dovecot speaks another language.
  @Test func anUpgradeInPlaceKeepsTheMail() async throws {
    try await MailhostScene.bare(.debian12, next: .debian13) { scene in
      try await scene.succeed("mailhost apply", timeout: .seconds(900))
      try await scene.unlock()
      try await scene.succeed("/usr/local/lib/mailboot-machine/send-mail before-the-upgrade")
      try await scene.succeed("/usr/local/lib/mailboot-machine/read-mail before-the-upgrade --wait 60 >/dev/null")
      let plan = try await scene.run("mailhost plan --for debian=13")
      #expect(plan.status == 2)
      #expect(plan.stdout.contains("remove  file /etc/dovecot/dovecot-sql.conf.ext"))
      #expect(plan.stdout.contains("+dovecot_config_version = 2.4.1\n"))
      let upgraded = try await scene.run(
        """
        set -e
        echo 'deb [trusted=yes] file:/usr/local/share/mailboot-machine/repository-13 ./' >/etc/apt/sources.list
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold full-upgrade </dev/null
        """, timeout: .seconds(1500))
      // As for everybody: its new dovecot does not start with the old file, and its package stays half configured.
      let said = "\(upgraded.stdout.suffix(3000))\(upgraded.stderr.suffix(2000))"
      #expect(said.contains("The first setting must be dovecot_config_version"), "\(said)")
      #expect(try await scene.run("mailhost plan --short").stdout.contains("install package dovecot-core\n"))
      #expect(try await scene.succeed("dovecot --version").hasPrefix("2.4"))
      let applied = try await scene.run("mailhost apply", timeout: .seconds(600))
      #expect(applied.status == 0, "\(applied.stdout)\(applied.stderr)")
      let tested = try await scene.run("mailhost test")
      #expect(tested.status == 0, "\(tested.stdout)\(tested.stderr)")
      try await scene.succeed("/usr/local/lib/mailboot-machine/read-mail before-the-upgrade --wait 60 >/dev/null")
      #expect(try await scene.run("mailhost plan").status == 0)
    }
  }

  @Test(arguments: Release.both)
  func withoutANetworkNothingChanges(_ release: Release) async throws {
    try await MailhostScene.bare(release) { scene in
      try await scene.succeed(
        "echo 'deb http://127.0.0.1:9/debian stable main' >/etc/apt/sources.list; rm -rf /var/lib/apt/lists/*")
      let before = try await scene.succeed("find /etc /var/lib/mailhost -type f 2>/dev/null | sort | xargs sha256sum")
      let applied = try await scene.run("mailhost apply")
      #expect(applied.status == 1)
      #expect(applied.stderr.contains("apt could not install"))
      #expect(applied.stderr.contains("hint: nothing else was changed; look at the network"))
      #expect(
        try await scene.succeed("find /etc /var/lib/mailhost -type f 2>/dev/null | sort | xargs sha256sum") == before)
      #expect(try await scene.run("test -e /usr/sbin/policy-rc.d").status == 1)
    }
  }
}
