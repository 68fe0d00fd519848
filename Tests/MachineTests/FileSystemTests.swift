import MachineKit
import SceneSupport
import Testing

/// File systems in the vault that are not as they should be, and lines of fstab for them.
struct FileSystemTests {
  @Test(arguments: [Release.debian12])
  func aDamagedFileSystemClosesTheVaultAgain(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      // Recognized as ext4, but its group descriptors are gone, and those of every backup.
      try await Self.overwrite(host, from: 1)
      let byFstab = try await host.unlock(configuration: Settings.toml())
      byFstab.expectFailure(
        12, error: "/vault could not be mounted: mounting it failed", hint: "fsck /dev/mapper/vault-blk")
      #expect(byFstab.stderr.contains("  | "), "what mount(8) said is shown: \(byFstab.stderr)")

      try await host.guest.succeed("sed -i '/vault/d' /etc/fstab && systemctl daemon-reload")
      let checked = try await host.unlock(configuration: Settings.toml())
      checked.expectFailure(
        12, error: "/vault could not be mounted: its device or its file system check failed",
        hint: "fsck /dev/mapper/vault-blk")
      #expect(checked.stderr.contains(#/ \| .*fsck/#), "what fsck(8) said is shown: \(checked.stderr)")
    }
  }

  @Test(arguments: [Release.debian13])
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
    try await host.guest.succeed(
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
      try await host.guest.succeed("sed -i '/vault/d' /etc/fstab && systemctl daemon-reload")
      let attempt = try await host.unlock("--no-start", configuration: Settings.toml())
      attempt.expectSuccess("mounted and verified")
      attempt.expectOpened()
      #expect(try await host.guest.succeed("findmnt -no OPTIONS /vault").contains("nosuid"))
      try await host.guest.succeed("journalctl -b -u 'systemd-fsck@dev-mapper-vault*' | grep -q 'clean,'")
    }
  }

  @Test func anFstabLineThatMountsSomethingElseIsUndone() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        """
        sed -i 's|^/dev/mapper/vault-blk /vault .*|tmpfs /vault tmpfs noauto 0 0|' /etc/fstab
        systemctl daemon-reload
        """)
      let attempt = try await host.unlock(configuration: Settings.toml())
      attempt.expectFailure(12, error: "something else is mounted on /vault: tmpfs", hint: "findmnt /vault")
    }
  }
}
