import MachineKit
import SceneSupport
import Testing

/// Devices that are missing, wrong or damaged.
struct VaultDeviceTests {
  @Test func aDeviceThatDoesNotAppearIsWaitedForAndNamed() async throws {
    try await MailHosts.with(.debian12) { host in
      let path = try await host.unlock("--timeout 1", configuration: Settings.toml(vault: "device = \"/dev/vdz\""))
      path.expectFailure(11, error: "the vault's device /dev/vdz did not appear within 1 s", hint: "lsblk -f")
      let uuid = "UUID=00000000-1111-2222-3333-444444444444"
      let tag = try await host.unlock("--timeout 2", configuration: Settings.toml(vault: "device = \"\(uuid)\""))
      tag.expectFailure(11, error: "the vault's device \(uuid) did not appear within 2 s", hint: "lsblk -f")
      let file = try await host.unlock(configuration: Settings.toml(vault: "device = \"/root/none.img\""))
      file.expectFailure(11, error: "there is no device /root/none.img", hint: "lsblk -f")
      // Without its type a directory is taken for one of gocryptfs.
      let directory = try await host.unlock(
        configuration: Settings.toml(vault: "type = \"luks\"\ndevice = \"/root\""))
      directory.expectFailure(
        11, error: "there is no device /root: it is neither a block device nor a regular file", hint: "lsblk -f")
    }
  }

  @Test func aDeviceThatIsNotLUKSIsSaidSo() async throws {
    try await MailHosts.with(.debian12) { host in
      let disk = try await host.unlock(configuration: Settings.toml(vault: "device = \"/dev/vda\""))
      disk.expectFailure(11, error: "/dev/vda is not a LUKS device", hint: "lsblk -f")
      try await host.guest.succeed("truncate -s 1M /root/zeros")
      let file = try await host.unlock(configuration: Settings.toml(vault: "device = \"/root/zeros\""))
      file.expectFailure(11, error: "/root/zeros is not a LUKS device", hint: "lsblk -f")
    }
  }

  @Test(arguments: [Release.debian12])
  func aHeaderDamagedInBothCopiesIsLeftAlone(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      // The metadata areas of both copies, not their magic.
      try await host.guest.succeed(
        """
        for block in 1 5; do tr '\\0' x </dev/zero | dd of=/dev/vdb bs=4k count=1 seek=$block conv=notrunc; done
        sync; head -c 17M /dev/vdb | md5sum >/run/sum
        """)
      let attempt = try await host.unlock()
      attempt.expectFailure(
        11, error: "the LUKS header of /dev/vdb is damaged", hint: "mailboot vault restore-header FILE")
      try await host.guest.succeed("head -c 17M /dev/vdb | md5sum | cmp - /run/sum")
    }
  }

  @Test(arguments: [Release.debian13])
  func aHeaderWithOneIntactCopyStillOpens(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed("dd if=/dev/zero of=/dev/vdb bs=4k count=1 seek=1 conv=notrunc")
      let attempt = try await host.unlock("--no-start", configuration: Settings.toml())
      attempt.expectSuccess("mounted and verified")
      attempt.expectOpened()
    }
  }

  @Test func noLUKSDeviceOrSeveralWithNoneConfiguredIsAnError() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        """
        truncate -s 20M /root/second && printf x | cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 \
          --pbkdf-force-iterations 1000 --key-file - /root/second
        losetup /dev/loop5 /root/second && udevadm trigger --settle /dev/loop5
        """)
      let several = try await host.unlock()
      several.expectFailure(
        11, error: "there are several LUKS devices, and none is configured: /dev/loop5, /dev/vdb",
        hint: "name the vault as `device` in [vault] of /etc/mailboot/mailboot.toml")
      try await host.guest.succeed(
        """
        losetup --detach /dev/loop5 && udevadm trigger --settle /dev/loop5
        dd if=/dev/zero of=/dev/vdb bs=1M count=16 && udevadm trigger --settle /dev/vdb
        """)
      let none = try await host.unlock("--timeout 1")
      none.expectFailure(11, error: "no LUKS device was found on this machine", hint: "lsblk -f")
    }
  }

  @Test func aMappingNameTakenByAnotherDeviceIsNotTouched() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed("dmsetup create vault-blk --table '0 2048 zero'")
      let plain = try await host.unlock(configuration: Settings.toml(vault: "device = \"/dev/vdb\""))
      plain.expectFailure(
        11, error: "the mapping's name is taken by another device: vault-blk is no LUKS mapping",
        hint: "cryptsetup status vault-blk")
      try await host.guest.succeed("dmsetup remove vault-blk")
      try await host.makeLUKSFile("/root/other.img")
      try await host.guest.succeed(
        "cryptsetup open --key-file \(MailHost.passphraseFile) /root/other.img vault-blk")
      let other = try await host.unlock()
      other.expectFailure(
        11,
        error: "the mapping's name is taken by another device: vault-blk is open on /root/other.img, not on /dev/vdb",
        hint: "cryptsetup status vault-blk")
    }
  }
}
