import MachineKit
import Testing

/// Mount points and file systems that are not as they should be.
struct MountPointTests {
  @Test func aMountPointInUseIsSeenBeforeAnythingIsOpened() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.machine.succeed("mkdir /vault/vmail")
      let notEmpty = try await host.unlock()
      notEmpty.expectFailure(
        12, error: "the mount point /vault is not empty: vmail", hint: "mv /vault /vault.stray")

      try await host.machine.succeed("rmdir /vault/vmail && mount -t tmpfs something /vault")
      let occupied = try await host.unlock()
      occupied.expectFailure(12, error: "something else is mounted on /vault: something", hint: "findmnt /vault")

      try await host.machine.succeed("umount /vault && rmdir /vault && touch /vault")
      let file = try await host.unlock()
      file.expectFailure(12, error: "the mount point /vault is not a directory", hint: "move it away")
    }
  }

  @Test(arguments: Release.both)
  func aMissingMountPointIsMade(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.machine.succeed("rmdir /vault")
      let attempt = try await host.unlock("--no-start", configuration: Settings.toml())
      attempt.expectSuccess("mounted and verified")
      attempt.expectOpened()
      #expect(try await host.machine.succeed("systemctl stop vault.mount; stat -c '%a %U' /vault") == "755 root\n")
    }
  }

  @Test(arguments: Release.both)
  func aDamagedFileSystemClosesTheVaultAgain(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      // Recognized as ext4, but its group descriptors are gone, and those of every backup.
      try await Self.overwrite(host, from: 1)
      let byFstab = try await host.unlock(configuration: Settings.toml())
      byFstab.expectFailure(
        12, error: "/vault could not be mounted: mounting it failed", hint: "fsck /dev/mapper/vault-blk")
      #expect(byFstab.stderr.contains("  | "), "what mount(8) said is shown: \(byFstab.stderr)")

      try await host.machine.succeed("sed -i '/vault/d' /etc/fstab && systemctl daemon-reload")
      let checked = try await host.unlock(configuration: Settings.toml())
      checked.expectFailure(
        12, error: "/vault could not be mounted: its device or its file system check failed",
        hint: "fsck /dev/mapper/vault-blk")
      #expect(checked.stderr.contains(#/ \| .*fsck/#), "what fsck(8) said is shown: \(checked.stderr)")
    }
  }

  @Test(arguments: Release.both)
  func aVaultWithNoFileSystemToBeSeenIsNotWaitedFor(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.overwrite(host, from: 0)
      let attempt = try await host.unlock(configuration: Settings.toml(), timeout: .seconds(80))
      attempt.expectFailure(
        12, error: "/vault could not be mounted: no file system is to be seen on /dev/mapper/vault-blk",
        hint: "fsck /dev/mapper/vault-blk")
    }
  }

  /// Overwrites the start of every block group, 128 MiB each; of the first one from the given block of 4 KiB on.
  private static func overwrite(_ host: MailHost, from block: Int) async throws {
    try await host.machine.succeed(
      """
      set -e
      cryptsetup open --key-file \(MailHost.passphraseFile) /dev/vdb edited
      zero() { dd if=/dev/zero of=/dev/mapper/edited bs=4k seek=$1 count=$2 conv=notrunc; }
      zero \(block) 64
      for group in 1 2 3 4 5 6 7; do zero $((group * 32768)) 64; done
      cryptsetup close edited
      """)
  }

  @Test(arguments: Release.both)
  func aVaultWithoutAnFstabLineIsCheckedAndMounted(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.machine.succeed("sed -i '/vault/d' /etc/fstab && systemctl daemon-reload")
      let attempt = try await host.unlock("--no-start", configuration: Settings.toml())
      attempt.expectSuccess("mounted and verified")
      attempt.expectOpened()
      #expect(try await host.machine.succeed("findmnt -no OPTIONS /vault").contains("nosuid"))
      try await host.machine.succeed("journalctl -b -u 'systemd-fsck@dev-mapper-vault*' | grep -q 'clean,'")
    }
  }

  @Test func anFstabLineThatMountsSomethingElseIsUndone() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.machine.succeed(
        """
        sed -i 's|^/dev/mapper/vault-blk /vault .*|tmpfs /vault tmpfs noauto 0 0|' /etc/fstab
        systemctl daemon-reload
        """)
      let attempt = try await host.unlock(configuration: Settings.toml())
      attempt.expectFailure(12, error: "something else is mounted on /vault: tmpfs", hint: "findmnt /vault")
    }
  }

  @Test(arguments: Release.both)
  func bindMountsFollowTheVaultAndGoWithIt(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      func settings(_ from: String, _ to: String) -> String {
        let first = "[[bind]]\nfrom = \"/vault/vmail\"\nto = \"/srv/mail\"\n"
        return Settings.toml(rest: first + "[[bind]]\nfrom = \"\(from)\"\nto = \"\(to)\"\n")
      }
      try await host.machine.succeed("mkdir -p /srv/mail /srv/full/file")
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
