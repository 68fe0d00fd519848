import MachineKit
import SceneSupport
import Testing

/// The service beside a person, an upgrade or another program that has its hands on the same host.
struct UnderEveryHandTests {
  private static let dovecot = """
    [[service]]
    name = "dovecot"
    probe = "imaps://127.0.0.1:993"

    """
  /// As a person does it, and not by systemd, which learns of a mount a moment later.
  private static let closeByHand =
    "umount /vault && timeout 10 sh -c 'while pgrep -x gocryptfs; do sleep 0.05; done' >/dev/null"
  private static let postfix = """
    [[service]]
    name = "postfix"
    probe = "smtp://127.0.0.1:25"

    """
  private static let settings = Settings.toml(services: Settings.redis + dovecot)

  /// Waits for a line of ours in the journal.
  private static func awaitLine(_ line: String, times: Int = 1, seconds: Int, on host: MailHost) async throws {
    try await host.guest.succeed(
      """
      for try in {1..\(seconds * 5)}; do
        [ "$(journalctl -b -t mailboot -o cat --no-pager | grep -c -e '\(line)')" -ge \(times) ] && exit 0
        sleep 0.2
      done
      journalctl -b -t mailboot -o cat --no-pager | tail -20; exit 1
      """, timeout: .seconds(seconds + 60))
  }

  @Test(arguments: Release.both)
  func aServiceThatFailsToComeBackIsTriedAgainAndNothingElseIsTouched(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.beginWaiting(configuration: Self.settings)
      try await host.unlock().expectSuccess("ready in ")
      // An administrator stops one, another one dies and cannot start.
      try await host.guest.succeed(
        """
        set -e
        systemctl stop redis-server
        mkdir -p /run/systemd/system/dovecot.service.d
        printf '[Service]\\nExecStartPre=/bin/false\\nRestart=no\\n' >/run/systemd/system/dovecot.service.d/broken.conf
        systemctl daemon-reload
        pkill -KILL -x dovecot
        """)
      try await Self.awaitLine("^starting again: dovecot ", seconds: 60, on: host)
      try await Self.awaitLine("^starting again: dovecot ", times: 2, seconds: 120, on: host)
      try await host.guest.succeed(
        "rm /run/systemd/system/dovecot.service.d/broken.conf; systemctl daemon-reload; systemctl reset-failed dovecot;"
          + " systemctl start dovecot")
      try await host.guest.succeed(
        "for try in {1..50}; do systemctl is-active --quiet dovecot && exit 0; sleep 0.2; done; exit 1")
      #expect(try await host.guest.run("systemctl is-active redis-server").stdout == "inactive\n")
    }
  }

  @Test(arguments: Release.both)
  func aVaultThatWasClosedByHandStaysClosed(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        "mkdir -p /etc/credstore && install -m 600 \(MailHost.passphraseFile) /etc/credstore/mailboot.passphrase")
      try await host.beginWaiting(configuration: Settings.toml(vault: "type = \"gocryptfs\""))
      try await host.await("ready")
      try await host.guest.succeed("systemctl stop redis-server; \(Self.closeByHand)")
      try await host.await("locked")
      try await host.guest.succeed("sleep 8; mailboot status || test $? = 2")
      // Not after a restart of the service either, nor without the record of the runs.
      try await host.guest.succeed(
        "rm /run/mailboot/state.json; systemctl restart mailboot; sleep 6; mailboot status || test $? = 2")
    }
  }

  @Test(arguments: Release.both)
  func nothingStartsBetweenTheMountAndTheVerification(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.configure(Settings.toml(services: Settings.redis + Self.dovecot + Self.postfix))
      try await host.attempt("mailboot guard install").expectSuccess("guarded")
      // Mounted by hand: not verified.
      try await host.guest.succeed(host.vault.open)
      for unit in ["dovecot", "postfix", "dovecot.socket"] {
        #expect(try await host.guest.run("systemctl start \(unit)", timeout: .seconds(20)).status != 0, "\(unit)")
      }
      try await host.attempt("mailboot").expectSuccess("ready in ")
      // Verified: an upgrade restarts what is up.
      try await host.guest.succeed("systemctl restart dovecot")
      try await host.guest.succeed("test -e /run/mailboot/verified")
      try await host.attempt("mailboot lock").expectSuccess("locked in ")
      try await host.guest.succeed("test ! -e /run/mailboot/verified && test ! -e /run/mailboot/verified-door")
    }
  }

  @Test(arguments: Release.both)
  func anUpgradeOfTheGuardLeavesARunningHostRestartable(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.unlock(configuration: Self.settings).expectSuccess("ready in ")
      // As an earlier version has left it.
      try await host.guest.succeed("rm -f /run/mailboot/verified*")
      try await host.attempt("mailboot guard install").expectSuccess("guarded")
      try await host.guest.succeed("systemctl restart dovecot redis-server")
    }
  }

  @Test(arguments: Release.both)
  func aSocketGoesBeforeItsServiceAndComesBackWithIt(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        """
        set -e
        cd /etc/systemd/system
        printf '[Service]\\nExecStart=sleep infinity\\n' >scene-knocked.service
        printf '[Socket]\\nListenStream=127.0.0.1:7777\\n[Install]\\nWantedBy=sockets.target\\n' >scene-knocked.socket
        systemctl daemon-reload
        systemctl enable --quiet scene-knocked.socket
        """)
      let settings = Settings.toml(services: Settings.redis + "[[service]]\nname = \"scene-knocked\"\n")
      try await host.unlock(configuration: settings).expectSuccess("ready in ")
      let look = "systemctl is-active scene-knocked.socket scene-knocked"
      #expect(try await host.guest.run(look).stdout == "active\nactive\n")
      // Somebody keeps knocking.
      try await host.guest.succeed(
        """
        systemd-run --quiet --collect --unit=scene-knocker bash -c '
          for try in {1..600}; do (exec 3<>/dev/tcp/127.0.0.1/7777) 2>/dev/null; sleep 0.05; done'
        """)
      try await host.attempt("mailboot lock").expectSuccess("locked in ")
      try await host.guest.succeed("sleep 1")
      #expect(try await host.guest.run(look).stdout == "inactive\ninactive\n")
      try await host.expectLocked()
      try await host.unlock().expectSuccess("ready in ")
      #expect(try await host.guest.run(look).stdout == "active\nactive\n")
    }
  }

  @Test(arguments: Release.both)
  func whatOpensTheVaultDuringTheBootIsGoneOnFrom(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.configure(Self.settings)
      try await host.guest.succeed(
        """
        set -e
        install -m 600 \(MailHost.passphraseFile) /root/key
        cat >/etc/systemd/system/scene-opener.service <<'END'
        [Unit]
        Before=mailboot.service multi-user.target
        [Service]
        Type=oneshot
        RemainAfterExit=yes
        KillMode=none
        ExecStart=gocryptfs -q -allow_other -passfile /root/key /vault_crypt /vault
        [Install]
        WantedBy=multi-user.target
        END
        systemctl enable --quiet scene-opener mailboot
        """)
      try await host.guest.reboot()
      try await host.await("ready")
      // Opened later it is somebody at work.
      try await host.guest.succeed("systemctl stop dovecot redis-server; \(Self.closeByHand)")
      try await host.await("locked")
      try await host.guest.succeed(
        "gocryptfs -q -allow_other -passfile /root/key /vault_crypt /vault; sleep 8; mailboot status || test $? = 3")
    }
  }
}
