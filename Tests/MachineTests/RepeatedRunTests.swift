import MachineKit
import Testing

/// Runs on a vault that is open already, wholly or in part.
struct RepeatedRunTests {
  @Test(arguments: Release.both)
  func aRunOnAReadyHostChangesNothingAndAsksNothing(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let first = try await host.unlock(configuration: Settings.toml(checks: ["database", "dkim", "free-space"]))
      first.expectSuccess("ready in ")
      first.expectOpened()
      let processes = "systemctl show --property=MainPID --value redis-server"
      let before = try await host.machine.succeed(processes)
      let second = try await host.attempt("mailboot")
      second.expectSuccess("ready already")
      second.expectNothingLeftBehind()
      #expect(second.stderr.contains("already open") && second.stderr.contains("already running"), "\(second.stderr)")
      #expect(try await host.machine.succeed(processes) == before)
      let verify = try await host.attempt("mailboot verify")
      verify.expectSuccess("all is well")
      verify.expectNothingLeftBehind()
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 0, "\(status.stdout)")
    }
  }

  @Test func aHalfOpenVaultIsCompletedWithoutAPassphrase() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.machine.succeed(
        "cryptsetup open --key-file \(MailHost.passphraseFile) /dev/vdb vault-blk")
      let unmounted = try await host.attempt("mailboot status", configuration: Settings.toml())
      #expect(unmounted.status == 3, "\(unmounted.stdout)")
      let mounted = try await host.attempt("mailboot --no-start")
      mounted.expectSuccess("mounted and verified")
      #expect(mounted.changes == ["> mount /vault /", "> unit vault.mount active"])
      let notStarted = try await host.attempt("mailboot status")
      #expect(notStarted.status == 3, "\(notStarted.stdout)")
      let started = try await host.attempt("mailboot")
      started.expectSuccess("ready in ")
      #expect(started.changes == ["> unit redis-server.service active"])
      #expect(started.stderr.contains("already mounted"), "\(started.stderr)")
    }
  }
}
