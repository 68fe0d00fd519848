import MachineKit
import SceneSupport
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
      let before = try await host.guest.succeed(processes)
      let second = try await host.attempt("mailboot")
      second.expectSuccess("ready already")
      second.expectNothingLeftBehind()
      #expect(second.stderr.contains("already open") && second.stderr.contains("already running"), "\(second.stderr)")
      #expect(try await host.guest.succeed(processes) == before)
      let verify = try await host.attempt("mailboot verify")
      verify.expectSuccess("all is well")
      verify.expectNothingLeftBehind()
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 0, "\(status.stdout)")
    }
  }
}
