import MachineKit
import SceneSupport
import Testing

/// Mount points and file systems that are not as they should be.
struct MountPointTests {
  @Test func aMountPointInUseIsSeenBeforeAnythingIsOpened() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed("mkdir /vault/vmail")
      let notEmpty = try await host.unlock()
      notEmpty.expectFailure(
        12, error: "the mount point /vault is not empty: vmail", hint: "mv /vault /vault.stray")

      try await host.guest.succeed("rmdir /vault/vmail && mount -t tmpfs something /vault")
      let occupied = try await host.unlock()
      occupied.expectFailure(12, error: "something else is mounted on /vault: something", hint: "findmnt /vault")

      try await host.guest.succeed("umount /vault && rmdir /vault && touch /vault")
      let file = try await host.unlock()
      file.expectFailure(12, error: "the mount point /vault is not a directory", hint: "move it away")
    }
  }

  @Test(arguments: Release.both)
  func aMissingMountPointIsMade(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed("rmdir /vault")
      let attempt = try await host.unlock("--no-start", configuration: Settings.toml())
      attempt.expectSuccess("mounted and verified")
      attempt.expectOpened()
      #expect(try await host.guest.succeed("systemctl stop vault.mount; stat -c '%a %U' /vault") == "755 root\n")
    }
  }

  @Test(arguments: Release.both)
  func bindMountsFollowTheVaultAndGoWithIt(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      func settings(_ from: String, _ to: String) -> String {
        let first = "[[bind]]\nfrom = \"/vault/vmail\"\nto = \"/srv/mail\"\n"
        return Settings.toml(rest: first + "[[bind]]\nfrom = \"\(from)\"\nto = \"\(to)\"\n")
      }
      try await host.guest.succeed("mkdir -p /srv/mail /srv/full/file")
      let missing = try await host.unlock(configuration: settings("/vault/none", "/srv/none"))
      missing.expectFailure(
        12, error: "/vault/none, to be shown at /srv/none, is not in the vault", hint: "correct `from` in [[bind]]")
      let full = try await host.unlock(configuration: settings("/vault/sieve", "/srv/full"))
      full.expectFailure(
        12, error: "the mount point /srv/full is not empty: file", hint: "mv /srv/full /srv/full.stray")

      let good = try await host.unlock("--no-start", configuration: settings("/vault/sieve", "/srv/sieve"))
      good.expectSuccess("mounted and verified")
      good.expectOpened()
      #expect(good.changes.contains("> mount /srv/mail /vmail") && good.changes.contains("> mount /srv/sieve /sieve"))
      let again = try await host.attempt("mailboot --no-start")
      again.expectSuccess("mounted and verified")
      again.expectNothingLeftBehind()
    }
  }
}
