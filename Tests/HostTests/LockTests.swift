import MachineKit
import SceneSupport
import Testing

/// `mailboot lock`: who is in the way is named, what was unlocked is locked, and can be unlocked again.
struct LockTests {
  private static let tools = "/usr/local/lib/mailboot-machine"

  /// The four services of the host; no check, which would only cost time here.
  private static let services = """
    \(Settings.redis)
    [[service]]
    name = "rspamd"
    after = ["redis-server"]
    probe = "http://127.0.0.1:11333/ping"
    [[service]]
    name = "dovecot"
    probe = "imaps://127.0.0.1:993"
    [[service]]
    name = "postfix"
    after = ["rspamd", "dovecot"]
    probe = "smtp://127.0.0.1:25"

    """

  @Test(arguments: Release.both)
  func aProcessInTheVaultIsNamedThenEndedAndTheMailIsThereAfterTheNextUnlock(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let unlocked = try await host.unlock(configuration: Settings.toml(services: Self.services))
      unlocked.expectSuccess("ready in ")
      try await host.guest.succeed("\(Self.tools)/send-mail locked", timeout: .seconds(120))
      try await Self.sit(host)

      let refused = try await host.attempt("mailboot lock")
      refused.expectFailure(
        16, error: "the vault is in use outside its services: 1 process", hint: "mailboot lock --kill")
      let process = try await host.guest.succeed("systemctl show --property=MainPID --value scene-sitter").dropLast()
      #expect(
        refused.stderr.contains(
          "  | sleep, process \(process) of root in scene-sitter.service: working directory /vault/vmail"),
        "\(refused.stderr)")

      let locked = try await host.attempt("mailboot lock --kill")
      locked.expectSuccess("locked in ")
      Self.expectStops(locked, ["stop postfix", "stop dovecot", "stop rspamd", "stop redis-server", "unmount /vault"])
      try await host.expectLocked()
      #expect(try await host.guest.run("systemctl is-active --quiet scene-sitter").status != 0)

      let again = try await host.attempt("mailboot lock")
      again.expectSuccess("locked already")
      again.expectNothingLeftBehind()

      let second = try await host.unlock()
      second.expectSuccess("ready in ")
      try await host.guest.succeed("\(Self.tools)/read-mail locked --wait 30", timeout: .seconds(120))
    }
  }

  private static func sit(_ host: MailHost) async throws {
    try await host.guest.succeed(
      "systemd-run --quiet --collect --unit=scene-sitter --property=WorkingDirectory=/vault/vmail sleep 1000")
  }

  /// The steps in this order, each done.
  private static func expectStops(_ attempt: Attempt, _ steps: [String]) {
    let done = attempt.stderr.split(separator: "\n").filter { $0.hasPrefix("  ok    ") }
    let found = steps.compactMap { step in done.firstIndex { $0.dropFirst(8).hasPrefix(step + " ") } }
    #expect(found.count == steps.count && found == found.sorted(), "\(attempt.stderr)")
  }

  @Test func mountsElsewhereAndNamespacesAreNamed() async throws {
    try await MailHosts.with(.debian12) { host in
      let unlocked = try await host.unlock(configuration: Settings.toml())
      unlocked.expectSuccess("ready in ")
      try await host.guest.succeed("mount --bind /vault /mnt")
      for options in ["", "--kill"] {
        let refused = try await host.attempt("mailboot lock \(options)")
        refused.expectFailure(
          16, error: "the vault is in use outside its services: 1 other use", hint: "umount /mnt")
        #expect(refused.stderr.contains("  | also mounted on /mnt"), "\(refused.stderr)")
      }
      // A namespace that takes part in no unmount of the host's.
      try await host.guest.succeed(
        "umount /mnt; systemd-run --quiet --unit=scene-private unshare --mount sleep 1000; sleep 1")
      let hidden = try await host.attempt("mailboot lock")
      hidden.expectFailure(16, error: "in use outside its services: 1 process", hint: "mailboot lock --kill")
      #expect(
        hidden.stderr.contains("in scene-private.service: mounted in a namespace of its own /vault"),
        "\(hidden.stderr)")
      let locked = try await host.attempt("mailboot lock --kill")
      locked.expectSuccess("locked in ")
    }
  }

  /// A service that, when it stops, leaves somebody else in the vault.
  private static let untidy = """
    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=true
    ExecStop=systemd-run --quiet --collect --unit=scene-late sh -c "cd /vault && exec sleep 1000"
    ExecStop=sleep 1
    """

  @Test func aVaultThatIsStillInUseAfterStoppingHasItsServicesBack() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        "cat >/run/systemd/system/scene-untidy.service <<'END'\n\(Self.untidy)\nEND\nsystemctl daemon-reload")
      let unlocked = try await host.unlock(
        configuration: Settings.toml(
          services: Settings.redis + "[[service]]\nname = \"scene-untidy\"\nafter = [\"redis-server\"]\n"))
      unlocked.expectSuccess("ready in ")
      let refused = try await host.attempt("mailboot lock")
      refused.expectRefusal(
        16, error: "the vault is in use even without its services: 1 process", hint: "mailboot lock --kill")
      #expect(refused.changes == ["> unit scene-late.service active"])
      #expect(refused.stderr.contains("in scene-late.service: working directory /vault"), "\(refused.stderr)")
      #expect(refused.stderr.contains("start redis-server"), "\(refused.stderr)")
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 0, "\(status.stdout)")
      let locked = try await host.attempt("mailboot lock --kill")
      locked.expectSuccess("locked in ")
      try await host.expectLocked()
    }
  }

  @Test func ctrlCLeavesItWhereItIsAndSaysWhereThatIs() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        """
        cat >/run/systemd/system/scene-slow.service <<'END'
        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=true
        ExecStop=/bin/sh -c 'for try in $(seq 1000); do test ! -e /run/go || exit 0; sleep 0.2; done; exit 1'
        TimeoutStopSec=300
        END
        systemctl daemon-reload
        """)
      let unlocked = try await host.unlock(
        configuration: Settings.toml(
          services: Settings.redis + "[[service]]\nname = \"scene-slow\"\nafter = [\"redis-server\"]\n",
          rest: "[unlock]\nservice-timeout = 240"))
      unlocked.expectSuccess("ready in ")
      let run = try await TerminalRun(host, "mailboot lock")
      try await run.expect("stop scene-slow 2 s")
      let busy = try await host.attempt("mailboot status")
      #expect(busy.status == 4 && busy.stdout.contains("mail: locking since "), "\(busy.stdout)")
      try run.type("\u{3}")
      let (said, _) = try await run.end(130)
      #expect(said.contains("nothing was changed; interrupted at: stop scene-slow; the vault is still open"), "\(said)")
      #expect(said.contains("error: interrupted"))
      try await host.guest.succeed("touch /run/go")
      let locked = try await host.attempt("mailboot lock")
      locked.expectSuccess("locked in ")
      try await host.expectLocked()
    }
  }
}
