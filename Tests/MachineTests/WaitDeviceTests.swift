import MachineKit
import SceneSupport
import Testing

/// The service in wait mode: what opens a LUKS vault without a person, and what becomes of its disk.
struct WaitDeviceTests {
  @Test(arguments: [Release.debian13])
  func aTokenOpensItFirst(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        """
        set -e
        cryptsetup token add --key-description mailboot:test /dev/vdb
        keyctl padd user mailboot:test @u <\(MailHost.passphraseFile)
        """)
      try await host.beginWaiting()
      try await host.await("ready")
      #expect(try await host.guest.succeed("mailboot status --format json").contains("\"via\": \"token\""))
    }
  }

  @Test func aKeyFileOnADeviceOpensItWhenTheDeviceComes() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        """
        set -e
        truncate -s 8M /root/stick
        mkfs.ext4 -q -L mailkey /root/stick
        mount /root/stick /mnt && install -m 600 \(MailHost.passphraseFile) /mnt/vault.key && umount /mnt
        """)
      try await host.beginWaiting(configuration: "[wait]\nkey-device = \"LABEL=mailkey\"\nkey-file = \"vault.key\"\n")
      try await host.guest.succeed("sleep 8; mailboot status || test $? = 2; losetup -f /root/stick")
      try await host.await("ready")
      #expect(try await host.guest.succeed("mailboot status --format json").contains("\"via\": \"key-file\""))
      try await host.guest.succeed("! findmnt /run/mailboot/key")
    }
  }

  @Test(arguments: [Release.debian12])
  func errorsOnTheDiskAndADiskThatGoesAwayAreNamed(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      // Nothing is signalled when the kernel finds an error in a file system: it is seen with the next probes.
      try await host.beginWaiting(configuration: "[monitoring]\nprobe-every = \"10s\"\n")
      #expect(try await host.unlock().status == 0)
      try await host.guest.succeed("echo test >/sys/fs/ext4/dm-0/trigger_fs_error")
      try await host.guest.succeed(
        """
        for try in {1..80}; do
          journalctl -b -t mailboot -o cat --no-pager | grep -q '^degraded: .*the file system on /vault has errors' && exit 0
          sleep 0.5
        done
        journalctl -b -t mailboot --no-pager | tail; mailboot status; findmnt /vault; exit 1
        """)
      // The driver gives the disk up, as when it is unplugged.
      try await host.guest.succeed(
        """
        echo $(basename $(readlink -f /sys/block/vdb/device)) >/sys/bus/virtio/drivers/virtio_blk/unbind
        for try in {1..20}; do
          mailboot status | grep -q 'the disk below the open vault vault-blk is gone' && exit 0
          sleep 0.5
        done
        mailboot status; ls /sys/block/dm-0/slaves; exit 1
        """)
    }
  }
}
