import MachineKit
import SceneSupport
import Testing

/// Every way to name a vault's device, and every kind of LUKS.
struct VaultKindTests {
  private static func expectOpening(_ host: MailHost, _ vault: String) async throws {
    let attempt = try await host.unlock("--no-start", configuration: Settings.toml(vault: vault))
    attempt.expectSuccess("mounted and verified, nothing started")
    attempt.expectOpened()
    let again = try await host.attempt("mailboot --no-start")
    again.expectSuccess("mounted and verified, nothing started")
    again.expectNothingLeftBehind()
  }

  private static func close(_ host: MailHost) async throws {
    try await host.guest.succeed("systemctl stop vault.mount && cryptsetup close vault-blk")
  }

  @Test(arguments: [Release.debian13])
  func tagsFindTheDevice(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        "cryptsetup config --label 'mail vault' /dev/vdb && udevadm trigger --settle /dev/vdb")
      let uuid = try await host.guest.succeed("cryptsetup luksUUID /dev/vdb").dropLast()
      for device in ["UUID=\(uuid)", "UUID=\(uuid.uppercased())", "LABEL=mail vault"] {
        try await Self.expectOpening(host, "device = \"\(device)\"")
        try await Self.close(host)
      }
    }
  }

  @Test func aPartitionIsFoundByItsPARTUUID() async throws {
    try await MailHosts.with(.debian12) { host in
      // One partition of type 0x83 from sector 2048, 49152 sectors long, on a disk with signature 0x0badcafe.
      try await host.guest.succeed(
        """
        set -e
        truncate -s 26M /root/disk
        python3 - <<'END'
        import struct
        with open("/root/disk", "r+b") as disk:
            disk.seek(440)
            disk.write(struct.pack("<IHBBBBBBBBII", 0x0badcafe, 0, 0, 0, 2, 0, 0x83, 0, 0, 0, 2048, 49152))
            disk.seek(510)
            disk.write(b"\\x55\\xaa")
        END
        losetup --partscan /dev/loop5 /root/disk
        """)
      try await host.makeLUKSFile("/dev/loop5p1")
      try await host.guest.succeed("udevadm trigger --settle /dev/loop5p1")
      try await Self.expectOpening(host, "device = \"PARTUUID=0BADCAFE-01\"")
    }
  }

  @Test(arguments: Release.both)
  func regularFilesLUKS1AndDetachedHeadersOpen(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.makeLUKSFile("/root/two.img")
      try await Self.expectOpening(host, "device = \"/root/two.img\"")
      try await Self.close(host)
      #expect(try await host.guest.succeed("losetup --all") == "", "the loop device goes away with the mapping")

      try await host.makeLUKSFile("/root/one.img", format: "--type luks1")
      try await Self.expectOpening(host, "device = \"/root/one.img\"")
      try await Self.close(host)

      let header = "--header /root/vault.header"
      try await host.makeLUKSFile("/root/bare.img", format: header, open: header)
      try await Self.expectOpening(host, "device = \"/root/bare.img\"\nheader = \"/root/vault.header\"")
      try await Self.close(host)
      let without = try await host.unlock(configuration: Settings.toml(vault: "device = \"/root/bare.img\""))
      without.expectFailure(11, error: "/root/bare.img is not a LUKS device", hint: "lsblk -f")
    }
  }
}
