import Foundation
import MachineKit
import SceneSupport
import Testing

/// `mailboot lock --emergency`: the key is gone while files are open, then everything else.
struct EmergencyLockTests {
  /// Looks at the mapping's table every few hundredths of a second: time, then the table with its key.
  private static let watch = """
    #!/bin/bash
    while :; do printf '%s ' "$EPOCHREALTIME"; dmsetup table --showkeys vault-blk 2>&1; sleep 0.02; done
    """

  /// Somebody who writes as fast as the shell can, with a file open, and who goes on when it fails.
  private static let writer = """
    #!/bin/bash
    cd /vault && exec 7>open
    for number in {1..1000000}; do echo "$number" >>lines || sleep 0.1; done
    """

  @Test(arguments: Release.both)
  func theKeyIsGoneWhileFilesAreOpenAndThenEverythingElse(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let machine = host.guest
      let unlocked = try await host.unlock(configuration: Settings.toml())
      unlocked.expectSuccess("ready in ")
      for (name, text) in [("watch-key", Self.watch), ("writer", Self.writer)] {
        try await machine.put("/usr/local/sbin/" + name, Data((text + "\n").utf8), mode: 0o755)
      }
      // With the key in dm-crypt's table instead of behind the name of a key ring's entry it is there to be seen.
      try await machine.succeed(
        """
        set -e
        cryptsetup refresh --disable-keyring --key-file \(MailHost.passphraseFile) vault-blk
        dmsetup table --showkeys vault-blk | grep -qE ' [0-9a-f]{128} '
        systemd-run --quiet --collect --unit=scene-writer writer
        systemd-run --quiet --collect --unit=scene-watch --property=StandardOutput=file:/run/watch watch-key
        sleep 3
        """)
      let locked = try await host.attempt("date +%s.%N >/run/begun; mailboot lock --emergency")
      locked.expectSuccess("locked in ")
      #expect(locked.stderr.contains(#/the key was gone after [0-9.]+ s; what had not been written/#))
      try await machine.succeed("systemctl stop scene-watch")
      let last = try await machine.succeed("grep -E ' [0-9a-f]{128} ' /run/watch | tail -n 1 | cut -d' ' -f1")
      let begun = try await machine.succeed("cat /run/begun")
      let seconds = try #require(Self.number(last)) - (try #require(Self.number(begun)))
      // A second on hardware; the emulated processor may be shared with other machines.
      #expect(seconds < 5, "the key was last seen \(seconds) s after the command had begun")
      let said = locked.stderr.split(separator: "\n").first { $0.contains("the key was gone") } ?? ""
      print("\(release.name): key last seen after \(seconds) s; \(said)")
      #expect(try await machine.succeed("dmsetup table --showkeys").contains("No devices found"))
      try await host.expectLocked()
      #expect(try await machine.run("systemctl is-active --quiet scene-writer").status != 0)

      let again = try await host.attempt("mailboot lock --emergency")
      again.expectSuccess("locked already")
      let second = try await host.unlock()
      second.expectSuccess("ready in ")
    }
  }

  private static func number(_ text: String) -> Double? { Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) }

  @Test(arguments: [Release.debian13])
  func anUnlockInProgressIsEndedAndNothingIsLeft(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        """
        cat >/run/systemd/system/scene-slow.service <<'END'
        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=sleep 200
        TimeoutStartSec=300
        END
        systemctl daemon-reload
        """)
      try await host.configure(
        Settings.toml(
          services: Settings.redis + "[[service]]\nname = \"scene-slow\"\nafter = [\"redis-server\"]\n",
          rest: "[unlock]\nservice-timeout = 240"))
      let first = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await host.guest.succeed(
        "for try in {1..400}; do [ \"$(systemctl is-active scene-slow)\" != activating ] || exit 0; sleep 0.1; done; exit 1"
      )
      let locked = try await host.guest.run("mailboot lock --emergency", timeout: .seconds(120))
      #expect(locked.status == 0 && locked.stdout.contains("locked in "), "\(locked.stdout)\(locked.stderr)")
      #expect(locked.stderr.contains("warning: another run was busy with the vault"), "\(locked.stderr)")
      let ended = try await first.end()
      ended.expectRefusal(130, error: "ended by signal 15", hint: nil)
      ended.expectNothingLeftBehind()
      try await host.expectLocked()
    }
  }

  /// The shell it was called from keeps the device; the key is gone all the same, and what is left is named.
  @Test func whoeverCallsItFromInsideTheVaultIsToldWhatIsLeft() async throws {
    try await MailHosts.with(.debian12) { host in
      let unlocked = try await host.unlock(configuration: Settings.toml())
      unlocked.expectSuccess("ready in ")
      let run = try await host.guest.run(
        """
        cd /vault/vmail
        mailboot lock --emergency; echo "lock: $?"
        mailboot --key-file \(MailHost.passphraseFile); echo "unlock: $?"
        cd /
        mailboot lock; echo "again: $?"
        """, timeout: .seconds(200))
      #expect(run.stdout.contains("lock: 16\n") && run.stdout.contains("again: 0\n"), "\(run.stdout)\(run.stderr)")
      #expect(run.stdout.contains("unlock: 11\n"), "\(run.stdout)\(run.stderr)")
      #expect(run.stderr.contains("error: the key is gone, but the vault could not be cleared"), "\(run.stderr)")
      #expect(run.stderr.contains("an emergency lock has taken its key away"), "\(run.stderr)")
      try await host.expectLocked()
    }
  }
}
