import Foundation
import MachineKit
import SceneSupport
import Testing

/// `status` as monitoring uses it: without privilege, in its formats, and told of changes.
struct StatusFormatTests {
  private static let services = """
    [[service]]
    name = "scene-mail"

    """

  private static func addUnit(_ host: MailHost) async throws {
    try await host.guest.succeed(
      """
      printf '[Service]\\nExecStart=sleep infinity\\n' >/run/systemd/system/scene-mail.service
      systemctl daemon-reload
      """)
    try await host.configure(Settings.toml(services: services))
  }

  @Test(arguments: Release.both)
  func aMonitorSeesWhetherTheVaultIsLocked(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.addUnit(host)
      let locked = try await host.attempt("runuser -u alice -- mailboot status --format nagios")
      #expect(locked.status == 2)
      #expect(locked.stdout.hasPrefix("MAILBOOT CRITICAL - locked for "), "\(locked.stdout)\(locked.stderr)")
      #expect(locked.stdout.contains(" services_ready=0;;;0;1 "))
      let metrics = try await host.attempt("runuser -u alice -- mailboot status --format prometheus")
      #expect(metrics.status == 2)
      #expect(metrics.stdout.contains("\nmailboot_state{state=\"locked\"} 1\n"), "\(metrics.stdout)\(metrics.stderr)")

      try await host.unlock().expectSuccess("ready in ")
      let ready = try await host.attempt("runuser -u alice -- mailboot status --format nagios")
      #expect(ready.status == 0)
      #expect(ready.stdout.hasPrefix("MAILBOOT OK - ready for "), "\(ready.stdout)\(ready.stderr)")
      #expect(ready.stdout.split(separator: "\n").count == 1)

      try await host.guest.succeed("systemctl kill --signal=KILL scene-mail")
      let degraded = try await host.attempt("runuser -u alice -- mailboot status --format nagios")
      #expect(degraded.status == 2)
      #expect(
        degraded.stdout.hasPrefix("MAILBOOT CRITICAL - degraded: scene-mail.service is failed (failed) | "),
        "\(degraded.stdout)")

      let broken = try await host.attempt(
        "runuser -u alice -- mailboot status --format nagios", configuration: "no-such-key = 1")
      #expect(broken.status == 3)
      #expect(
        broken.stdout
          == "MAILBOOT UNKNOWN - /etc/mailboot/mailboot.toml:1:1: no-such-key is not a known key\n")
    }
  }

  @Test(arguments: Release.both)
  func aWatcherIsToldOfEachChangeAndSleepsInBetween(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.addUnit(host)
      let watcher = try await host.guest.start(
        "runuser -u alice -- mailboot status --watch --format json >/run/watched 2>&1")
      try await Self.wait(for: "locked", host)
      try await host.unlock().expectSuccess("ready in ")
      try await Self.wait(for: "ready", host)
      try await host.guest.succeed("systemctl kill --signal=KILL scene-mail")
      try await Self.wait(for: "degraded", host)
      try await host.guest.succeed("systemctl start scene-mail")
      try await Self.wait(for: "ready", host)

      // One switch would be for a second look.
      let process = try await host.guest.succeed("pgrep --oldest --exact --uid alice mailboot")
      let switches = "grep ctxt_switches /proc/\(process.trimmingCharacters(in: .whitespacesAndNewlines))/status"
      let before = try await host.guest.succeed(switches)
      try await host.guest.succeed("sleep 10")
      #expect(try await host.guest.succeed(switches) == before)

      try await host.guest.succeed("systemctl stop scene-mail")
      try await Self.wait(for: "degraded", host)
      // There is no mapping that stays: the mount is what is open.
      try await host.guest.succeed("umount /vault")
      try await Self.wait(for: "locked", host)
      try await host.guest.succeed("pkill --signal INT --exact --uid alice mailboot")
      #expect(try await watcher.wait().status == 130)
      let states = try await Self.states(host)
      #expect(states.first == "locked")
      #expect(states.contains("opening") || states.contains("mounting") || states.contains("starting"), "\(states)")
    }
  }

  /// Until that is the last state that the watcher was shown; ten seconds at most.
  private static func wait(for state: String, _ host: MailHost) async throws {
    var seen: [String] = []
    for _ in 0..<20 {
      seen = try await states(host)
      if seen.last == state { return }
      try await host.guest.succeed("sleep 0.5")
    }
    throw MachineError(.commandFailed, "\(state) was not shown: \(seen)")
  }

  /// Each line of the watcher's output is one JSON value.
  private static func states(_ host: MailHost) async throws -> [String] {
    let lines = try await host.guest.succeed("cat /run/watched 2>/dev/null || true").split(separator: "\n")
    return try lines.map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(object?["state"] as? String, "\(line)")
    }
  }
}
