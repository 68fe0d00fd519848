import MachineKit
import SceneSupport
import Testing

/// Units that cannot be started, or do not answer once they are.
struct FailingServiceTests {
  @Test(arguments: Release.both)
  func aMaskedOrMissingUnitIsFoundBeforeAnythingIsOpened(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed("systemctl mask --runtime --quiet redis-server")
      let masked = try await host.attempt("mailboot --stdin", stdin: GuestTools.wrongPassphrase)
      masked.expectFailure(
        14, error: "redis-server.service is masked", hint: "systemctl unmask redis-server.service")
      let missing = try await host.unlock(
        configuration: Settings.toml(services: "[[service]]\nname = \"no-such\"\nprobe = \"smtp://127.0.0.1:25\""))
      missing.expectFailure(14, error: "there is no unit no-such.service", hint: "systemctl cat no-such.service")
    }
  }

  /// Active, but nothing answers where it is asked; beside a unit that ran before and one that did not.
  private static let silent = """
    [[service]]
    name = "scene-before"
    [[service]]
    name = "scene-new"
    [[service]]
    name = "redis-server"
    after = ["scene-new", "scene-before"]
    probe = "redis://127.0.0.1:6380"

    """

  private static func addUnits(_ host: MailHost) async throws {
    try await host.guest.succeed(
      """
      for unit in scene-before scene-new; do
        printf '[Service]\\nExecStart=sleep infinity\\n' >/run/systemd/system/$unit.service
      done
      systemctl daemon-reload && systemctl start scene-before
      """)
  }

  /// One that fails at once, and one that hears no signal until it is up, as dovecot does.
  private static let deaf = """
    [[service]]
    name = "scene-deaf"
    [[service]]
    name = "scene-bad"

    """

  @Test(arguments: Release.both)
  func whatIsStillStartingIsTakenBackWithoutWaitingForItsDeath(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        """
        cat >/usr/local/sbin/scene-deaf <<'END'
        #!/bin/bash
        trap '' TERM
        sleep 2
        trap 'exit 0' TERM
        systemd-notify --ready
        while :; do sleep 0.1; done
        END
        chmod 755 /usr/local/sbin/scene-deaf
        printf '[Service]\\nType=notify\\nNotifyAccess=all\\nExecStart=/usr/local/sbin/scene-deaf\\n' >/run/systemd/system/scene-deaf.service
        printf '[Service]\\nType=oneshot\\nExecStart=/bin/false\\n' >/run/systemd/system/scene-bad.service
        systemctl daemon-reload
        """)
      let clock = ContinuousClock()
      let begun = clock.now
      let attempt = try await host.unlock(configuration: Settings.toml(services: Self.deaf))
      attempt.expectFailure(14, error: "scene-bad did not start", hint: "journalctl -u scene-bad")
      #expect(attempt.stderr.contains("stop scene-deaf"), "\(attempt.stderr)")
      // systemd gives a signal that was not heard 90 s.
      #expect(clock.now - begun < .seconds(80))
      #expect(try await host.guest.run(host.vault.look).stdout.isEmpty)
    }
  }

  @Test(arguments: Release.both)
  func whenNothingAnswersOnlyWhatTheRunStartedIsStoppedAgain(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.addUnits(host)
      let attempt = try await host.unlock("--timeout 3", configuration: Settings.toml(services: Self.silent))
      attempt.expectFailure(
        14, error: "redis-server is active but redis://127.0.0.1:6380 did not answer within 3 s",
        hint: "ss -ltnp")
      #expect(attempt.stderr.contains("  | "), "its journal is shown")
      #expect(attempt.stderr.contains("stop scene-new") && !attempt.stderr.contains("stop scene-before"))

      // A vault that was open before stays open, too.
      try await host.guest.succeed(host.vault.open)
      let open = try await host.attempt("mailboot --timeout 3")
      open.expectFailure(14, error: "redis-server is active but ", hint: "ss -ltnp")
    }
  }

  @Test func onFailureLeaveLeavesEverythingAndStatusSaysDegraded() async throws {
    try await MailHosts.with(.debian12) { host in
      try await Self.addUnits(host)
      let attempt = try await host.unlock(
        "--timeout 3",
        configuration: Settings.toml(services: Self.silent, rest: "[unlock]\non-failure = \"leave\""))
      attempt.expectRefusal(14, error: "redis-server is active but ", hint: "ss -ltnp")
      attempt.expectOpened()
      #expect(attempt.changes.contains("> unit redis-server.service active"))
      #expect(attempt.changes.contains("> unit scene-new.service active"))
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 3)
      #expect(status.stdout.contains("mail: degraded"), "\(status.stdout)")
    }
  }

  @Test(arguments: Release.both)
  func aBrokenDovecotConfigurationIsCaughtByItsCheckOrByItsStart(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed("echo 'no_such_setting = yes' >>/etc/dovecot/dovecot.conf")
      let dovecot = "[[service]]\nname = \"dovecot\"\nprobe = \"imaps://127.0.0.1:993\"\n"
      let checked = try await host.unlock(configuration: Settings.toml(checks: ["dovecot"], services: dovecot))
      checked.expectFailure(13, error: "the check \"dovecot\" failed: doveconf -n: ", hint: "run `doveconf -n`")
      #expect(checked.stderr.contains("no_such_setting"), "\(checked.stderr)")
      let started = try await host.unlock(configuration: Settings.toml(services: dovecot))
      started.expectFailure(
        14, error: "dovecot did not start: dovecot.service: failed", hint: "journalctl -u dovecot.service")
      #expect(started.stderr.contains(#/ \| .*no_such_setting/#), "its journal is shown: \(started.stderr)")
    }
  }

  @Test func aBrokenRspamdConfigurationIsCaughtByItsCheckOrByItsStart() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed("echo 'options { broken' >/etc/rspamd/rspamd.conf.local")
      let rspamd = "[[service]]\nname = \"rspamd\"\nprobe = \"http://127.0.0.1:11333/ping\"\n"
      let checked = try await host.unlock(configuration: Settings.toml(checks: ["rspamd"], services: rspamd))
      checked.expectFailure(
        13, error: "the check \"rspamd\" failed: rspamadm configtest: ", hint: "run `rspamadm configtest`")
      let started = try await host.unlock("--timeout 60", configuration: Settings.toml(services: rspamd))
      started.expectFailure(14, error: "rspamd ", hint: "journalctl -u rspamd.service")
      #expect(started.stderr.contains("  | "), "its journal is shown: \(started.stderr)")
    }
  }

  @Test func anRspamdThatRunsWithWhatItCouldNotStartWithIsCaught() async throws {
    try await MailHosts.with(.debian13) { host in
      try await host.guest.succeed(
        """
        systemctl start rspamd
        until curl --silent --fail http://127.0.0.1:11333/ping; do sleep 0.1; done
        echo 'options { broken' >/etc/rspamd/rspamd.conf.local
        """)
      let rspamd = "[[service]]\nname = \"rspamd\"\nprobe = \"http://127.0.0.1:11333/ping\"\n"
      let checked = try await host.unlock(configuration: Settings.toml(checks: ["rspamd"], services: rspamd))
      checked.expectFailure(
        13, error: "the check \"rspamd\" failed: rspamadm configtest: ", hint: "run `rspamadm configtest`")
    }
  }

  @Test(arguments: Release.both)
  func theUnitThatReallyIsPostfixIsTheOneThatCounts(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      // An address that this host has not: the daemon fails while Debian 12's postfix.service says active.
      try await host.guest.succeed(
        "echo 'inet_interfaces = 203.0.113.1' >>/etc/postfix/main.cf")
      let postfix = "[[service]]\nname = \"postfix\"\nprobe = \"smtp://127.0.0.1:25\"\n"
      let unit = release == .debian12 ? "postfix@-.service" : "postfix.service"
      let attempt = try await host.unlock(configuration: Settings.toml(services: postfix))
      attempt.expectFailure(
        14, error: "postfix did not start: \(unit): failed", hint: "journalctl -u \(unit)")
      #expect(attempt.stderr.contains("  | "), "its journal is shown: \(attempt.stderr)")

      let left = try await host.unlock(
        configuration: Settings.toml(services: postfix, rest: "[unlock]\non-failure = \"leave\""))
      left.expectRefusal(14, error: "postfix did not start: \(unit): failed", hint: "journalctl -u \(unit)")
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 3)
      #expect(status.stdout.contains("failed (failed)"), "\(status.stdout)")
    }
  }

  @Test func anAssertionOfTheUnitIsNamed() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        """
        mkdir -p /run/systemd/system/redis-server.service.d
        printf '[Unit]\\nAssertPathIsMountPoint=/srv\\n' >/run/systemd/system/redis-server.service.d/guard.conf
        systemctl daemon-reload
        """)
      let attempt = try await host.unlock(configuration: Settings.toml())
      attempt.expectFailure(
        14, error: "redis-server did not start: redis-server.service: an assertion of the unit failed",
        hint: "journalctl -u redis-server.service")
    }
  }
}
