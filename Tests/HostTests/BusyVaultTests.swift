import MachineKit
import SceneSupport
import Testing

/// Runs that meet another one, or that are interrupted.
struct BusyVaultTests {
  /// A service that starts for as long as `/run/go` is missing; redis stands for the rest.
  private static func addSlowService(_ host: MailHost) async throws {
    try await host.guest.succeed(
      """
      cat >/run/systemd/system/scene-slow.service <<'END'
      [Service]
      Type=oneshot
      RemainAfterExit=yes
      ExecStart=/bin/sh -c 'for try in $(seq 1000); do test ! -e /run/go || exit 0; sleep 0.2; done; exit 1'
      END
      systemctl daemon-reload
      """)
    try await host.configure(
      Settings.toml(
        services: Settings.redis + "[[service]]\nname = \"scene-slow\"\nafter = [\"redis-server\"]\n",
        rest: "[unlock]\nservice-timeout = 240"))
  }

  private static func awaitStarting(_ host: MailHost) async throws {
    try await host.guest.succeed(
      """
      for try in {1..400}; do
        [ "$(systemctl is-active scene-slow)" != activating ] || exit 0
        sleep 0.1
      done
      mailboot status; exit 1
      """)
  }

  @Test(arguments: Release.both)
  func theSecondRunSaysWhoIsBusy(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.addSlowService(host)
      let first = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await Self.awaitStarting(host)
      let process = try await host.guest.succeed("pgrep -x mailboot").dropLast()
      let second = try await host.attempt("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      second.expectFailure(
        15, error: "another run is busy with the vault: unlock by root, process ", hint: "mailboot status")
      let verify = try await host.attempt("mailboot verify")
      verify.expectFailure(15, error: "another run is busy with the vault: unlock by root", hint: "mailboot status")
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 4)
      #expect(status.stdout.contains("mail: starting since "), "\(status.stdout)")
      try await host.guest.succeed("touch /run/go")
      let ended = try await first.end()
      ended.expectSuccess("ready in ")
      ended.expectOpened()
      #expect(second.stderr.contains("process \(process), now starting"), "\(second.stderr)")
      #expect(status.stdout.contains("unlock by root, process \(process)"), "\(status.stdout)")
    }
  }

  @Test(arguments: Release.both)
  func ctrlCDuringTheRunTakesEverythingBack(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.addSlowService(host)
      let run = try await TerminalRun(host, "mailboot")
      try await run.expect("Passphrase of the vault")
      try run.type(GuestCredentials.vaultPassphrase + "\n")
      try await Self.awaitStarting(host)
      try run.type("\u{3}")
      let (said, changes) = try await run.end(130)
      #expect(said.contains("taking back what this run did"))
      #expect(said.contains("error: interrupted"))
      #expect(changes == [])
    }
  }

  @Test func aSignalDuringTheRunTakesEverythingBack() async throws {
    try await MailHosts.with(.debian12) { host in
      try await Self.addSlowService(host)
      let run = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await Self.awaitStarting(host)
      try await host.guest.succeed("pkill -TERM -x mailboot")
      let ended = try await run.end()
      ended.expectFailure(130, error: "ended by signal 15", hint: nil)
    }
  }
}
