import MachineKit
import SceneSupport
import Testing

/// Postfix is started beside the other services and held before it listens; whatever happens meanwhile, it never listens too early.
struct HeldDoorTests {
  /// The unit that really is postfix.
  private static func unit(_ release: Release) -> String {
    release == .debian12 ? "postfix@-.service" : "postfix.service"
  }

  /// On a host whose rspamd starts only once `/run/go` is there: until then the door is held.
  private static func withSlowFilter(_ release: Release, _ test: (MailHost) async throws -> Void) async throws {
    try await MailHosts.with(release) { host in
      try await host.slowDownFilter()
      try await test(host)
    }
  }

  private static func awaitHeld(_ host: MailHost) async throws {
    try await host.guest.succeed(
      """
      for try in {1..300}; do pgrep -x hold-door && exit; sleep 0.1; done
      systemctl list-jobs; exit 1
      """)
  }

  private static func expectShut(_ host: MailHost) async throws {
    #expect(try await host.guest.succeed("ss -Htln 'sport = :25'").isEmpty)
  }

  private static func state(_ unit: String, _ host: MailHost) async throws -> String {
    try await host.guest.succeed("systemctl show --property=ActiveState --value \(unit)")
  }

  @Test(arguments: Release.both)
  func postfixIsPreparedBesideTheOthersAndListensLast(_ release: Release) async throws {
    try await Self.withSlowFilter(release) { host in
      let pending = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await Self.awaitHeld(host)
      #expect(try await Self.state(Self.unit(release), host) == "activating\n")
      try await Self.expectShut(host)
      try await host.guest.succeed("touch /run/go")
      let attempt = try await pending.end()
      attempt.expectSuccess("ready in ")
      #expect(attempt.stderr.contains("\(Self.unit(release)) waits to be let in"), "\(attempt.stderr)")
      #expect(attempt.stderr.contains(#/ok +check postfix /#), "\(attempt.stderr)")
      #expect(!(try await host.guest.succeed("ss -Htln 'sport = :25'").isEmpty))
      // Debian's own check was made once.
      let checks = try await host.guest.succeed("journalctl -b -o cat -u \(Self.unit(release)) | grep -c held || true")
      #expect(checks == "1\n")
      #expect(try await host.guest.run("test -e /run/mailboot/door").status == 1)
      // Nobody unlocks: a restart, as an upgrade makes it, waits for nobody.
      try await host.guest.succeed(
        "timeout 30 systemctl restart postfix && timeout 30 systemctl restart \(Self.unit(release))")
      let status = try await host.attempt("mailboot status --probe")
      #expect(status.status == 0, "\(status.stdout)")
    }
  }

  @Test(arguments: Release.both)
  func aServiceThatFailsWhileItIsHeldTakesAllBack(_ release: Release) async throws {
    try await Self.withSlowFilter(release) { host in
      let pending = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await Self.awaitHeld(host)
      try await host.guest.succeed("systemctl kill --signal=KILL rspamd")
      let attempt = try await pending.end()
      attempt.expectFailure(14, error: "rspamd did not start: ", hint: "journalctl -u rspamd.service")
      try await host.expectLocked()
    }
  }

  @Test(arguments: Release.both)
  func whereAFailureIsLeftTheDoorIsShutAndCanBeOpenedByHand(_ release: Release) async throws {
    try await Self.withSlowFilter(release) { host in
      try await host.configure("[unlock]\non-failure = \"leave\"\n")
      let pending = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await Self.awaitHeld(host)
      try await host.guest.succeed("systemctl kill --signal=KILL rspamd")
      let attempt = try await pending.end()
      attempt.expectRefusal(14, error: "rspamd did not start: ", hint: "journalctl -u rspamd.service")
      try await Self.expectShut(host)
      #expect(!(try await Self.state(Self.unit(release), host).hasPrefix("activ")))
      try await host.guest.succeed("timeout 60 systemctl start postfix \(Self.unit(release))")
      #expect(try await Self.state(Self.unit(release), host) == "active\n")
    }
  }

  @Test(arguments: Release.both)
  func anInterruptionEndsTheWaitAtOnce(_ release: Release) async throws {
    try await Self.withSlowFilter(release) { host in
      let pending = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await Self.awaitHeld(host)
      try await host.guest.succeed("pkill -INT -x mailboot")
      let attempt = try await pending.end(timeout: .seconds(60))
      #expect(attempt.status == 130, "\(attempt.stderr)")
      attempt.expectNothingLeftBehind()
      try await host.expectLocked()
    }
  }

  @Test(arguments: Release.both)
  func aKilledRunLeavesTheDoorShutAndTheNextOneOpensIt(_ release: Release) async throws {
    try await Self.withSlowFilter(release) { host in
      let pending = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await Self.awaitHeld(host)
      try await host.guest.succeed("pkill -KILL -x mailboot")
      #expect(try await pending.end().status == 137)
      try await host.guest.succeed(
        "for try in {1..100}; do [ \"$(systemctl show -P ActiveState \(Self.unit(release)))\" = failed ] && exit; sleep 0.1; done; exit 1"
      )
      try await host.guest.succeed("touch /run/go; sleep 2")
      try await Self.expectShut(host)
      // Whoever starts it by hand is told why it fails.
      #expect(try await host.guest.run("systemctl start \(Self.unit(release))").status == 1)
      let journal = try await host.guest.succeed("journalctl -b -o cat -u \(Self.unit(release))")
      #expect(journal.contains("ended before everything was proven: run `mailboot`"), "\(journal)")
      try await Self.expectShut(host)
      let again = try await host.attempt("mailboot")
      again.expectSuccess("ready in ")
    }
  }

  @Test(arguments: Release.both)
  func whoeverStartsItByHandMeanwhileWaitsToo(_ release: Release) async throws {
    try await Self.withSlowFilter(release) { host in
      let pending = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await Self.awaitHeld(host)
      #expect(try await host.guest.run("timeout 3 systemctl start \(Self.unit(release))").status == 124)
      // As an upgrade of postfix does.
      let restart = try await host.guest.start("timeout 60 systemctl restart \(Self.unit(release))")
      try await host.guest.succeed("sleep 2")
      try await Self.expectShut(host)
      try await host.guest.succeed("touch /run/go")
      #expect(try await restart.wait(timeout: .seconds(90)).status == 0)
      try await pending.end().expectSuccess("ready in ")
    }
  }

  @Test func whatDebiansUnitChecksIsTheCheck() async throws {
    try await MailHosts.with(.debian13) { host in
      // Only the check sees it: the queue is then not what it should be.
      try await host.guest.succeed("postconf -e 'maillog_file = /var/log/mail.log' && postconf -MX postlog/unix-dgram")
      let attempt = try await host.unlock()
      attempt.expectFailure(
        13, error: "the check \"postfix\" failed: postfix check: ", hint: "run `postfix check`")
      #expect(attempt.stderr.contains("postlog"), "\(attempt.stderr)")
      try await host.expectLocked()
    }
  }

  @Test(arguments: Release.both)
  func aHostWhoseUnitsDoNotKnowTheHoldIsUnlockedAsEver(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        "rm /usr/lib/systemd/system/postfix*.service.d/mailboot-door.conf; systemctl daemon-reload")
      let plan = try await host.attempt("mailboot plan")
      #expect(!plan.stdout.contains("prepare postfix"), "\(plan.stdout)")
      let attempt = try await host.unlock()
      attempt.expectSuccess("ready in ")
      #expect(!attempt.stderr.contains("prepare postfix"))
    }
  }

  @Test func aStartThatMayNotTakeSoLongIsGivenUpInTimeAndMadeAgain() async throws {
    try await Self.withSlowFilter(.debian13) { host in
      try await host.guest.succeed(
        """
        mkdir -p /run/systemd/system/postfix.service.d
        printf '[Service]\\nTimeoutStartSec=10\\n' >/run/systemd/system/postfix.service.d/short.conf
        systemctl daemon-reload
        """)
      let pending = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await Self.awaitHeld(host)
      try await host.guest.succeed("sleep 12")
      #expect(try await Self.state("postfix.service", host) == "inactive\n")
      try await host.guest.succeed("touch /run/go")
      try await pending.end().expectSuccess("ready in ")
    }
  }

  @Test(arguments: Release.both)
  func aConditionThatKeepsItFromStartingIsNamed(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let folder = "/run/systemd/system/\(Self.unit(release)).d"
      try await host.guest.succeed(
        "mkdir -p '\(folder)'; printf '[Unit]\\nConditionPathExists=/run/never\\n' >'\(folder)/never.conf'; systemctl daemon-reload"
      )
      let attempt = try await host.unlock()
      attempt.expectFailure(14, error: "ConditionPathExists=/run/never", hint: "journalctl -u ")
      try await host.expectLocked()
    }
  }

  @Test func thePlanSaysThatItIsHeld() async throws {
    try await MailHosts.with(.debian13) { host in
      let plan = try await host.attempt("mailboot plan")
      #expect(plan.stdout.contains("prepare postfix"), "\(plan.stdout)\(plan.stderr)")
      #expect(plan.stdout.contains("let it listen, when everything else is ready"), "\(plan.stdout)")
    }
  }
}
