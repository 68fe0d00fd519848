import MachineKit
import SceneSupport
import Testing

/// A host whose vault is none: a directory that is always there.
struct PlainVaultTests {
  private let settings = Settings.toml(vault: "type = \"none\"")

  @Test(arguments: Release.both)
  func nothingIsAskedAndNothingLocked(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.fillDirectory()
      let passphrase = try await host.attempt("mailboot --stdin", configuration: settings, stdin: "x")
      passphrase.expectFailure(64, error: "there is no passphrase to give", hint: "without it")
      let unlock = try await host.attempt("mailboot")
      unlock.expectSuccess("ready")
      let status = try await host.guest.run("mailboot status --format json")
      #expect(status.status == 0)
      for line in [
        "\"type\": \"none\"", "\"device\": null", "\"mapping\": null", "\"open\": true", "\"mounted\": true",
      ] {
        #expect(status.stdout.contains(line), "\(status.stdout)")
      }
      let lock = try await host.attempt("mailboot lock")
      lock.expectSuccess("/vault stays readable")
      #expect(try await host.guest.run("mailboot status").status == 3)
      let emergency = try await host.attempt("mailboot lock --emergency")
      emergency.expectFailure(64, error: "there is no key to take away", hint: "`mailboot lock` stops the services")
      let guarding = try await host.attempt("mailboot guard install")
      guarding.expectFailure(64, error: "there is nothing to guard", hint: "guard remove")
      let guarded = try await host.attempt("mailboot guard status")
      guarded.expectSuccess("nothing to guard")
    }
  }

  @Test func theServiceStartsOnceAfterTheBootAndNotAfterALock() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.fillDirectory()
      try await host.beginWaiting(configuration: settings)
      try await host.await("ready")
      #expect(try await host.guest.succeed("mailboot history").contains("mailboot"))
      try await host.guest.succeed("mailboot lock && systemctl restart mailboot && sleep 3")
      #expect(try await host.guest.succeed("systemctl is-active redis-server || true") == "inactive\n")
    }
  }

  @Test func aDirectoryThatIsMissingIsSaid() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed("rmdir /vault")
      let attempt = try await host.attempt("mailboot", configuration: settings)
      attempt.expectFailure(12, error: "there is no directory /vault", hint: "make it")
    }
  }
}

extension MailHost {
  /// Puts into the directory itself what is in the vault: the services keep their data there.
  fileprivate func fillDirectory() async throws { try await changeVault("cp -a . /vault") }
}
