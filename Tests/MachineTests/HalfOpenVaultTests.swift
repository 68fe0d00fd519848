import MachineKit
import SceneSupport
import Testing

/// Mappings that somebody else has opened.
struct HalfOpenVaultTests {
  @Test func aHalfOpenVaultIsCompletedWithoutAPassphrase() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
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

  @Test func aVaultOpenedAndMountedByHandIsLockedFromWhereverItStands() async throws {
    try await MailHosts.with(.debian12) { host in
      let open = "cryptsetup open --key-file \(MailHost.passphraseFile) /dev/vdb vault-blk"
      try await host.guest.succeed(open)
      let unmounted = try await host.attempt("mailboot lock", configuration: Settings.toml())
      unmounted.expectSuccess("locked in ")
      #expect(unmounted.changes == ["< mapping vault-blk"])
      #expect(unmounted.stderr.contains("not mounted") && unmounted.stderr.contains("not running"))

      try await host.guest.succeed("\(open) && mount /dev/mapper/vault-blk /vault")
      let mounted = try await host.attempt("mailboot lock")
      mounted.expectSuccess("locked in ")
      try await host.expectLocked()

      try await host.guest.succeed("\(open) && mount /dev/mapper/vault-blk /vault")
      let inside = try await host.attempt("cd /vault/vmail && mailboot lock --kill; echo $?")
      #expect(inside.stdout == "16\n", "\(inside.stdout)")
      #expect(inside.stderr.contains("hint: you are in the vault yourself: `cd /`"), "\(inside.stderr)")
      inside.expectNothingLeftBehind()
    }
  }
}
