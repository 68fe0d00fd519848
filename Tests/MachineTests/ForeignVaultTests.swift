import Foundation
import MachineKit
import SceneSupport
import Testing

/// Containers of other makers, through device-mapper: opened, mounted, locked, their keys gone.
struct ForeignVaultTests {
  private static let recovery = "000011-000022-000033-000044-000055-000066-000077-000088"

  private static func put(_ host: MailHost, _ name: String) async throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: tests.appendingPathComponent("containers/\(name)"), encoding: .utf8)
    try await host.put([name: text])
  }

  @Test func aVeraCryptContainerAndABitLockerVolumeAreVaultsBesideLUKS() async throws {
    try await MailHosts.with(.debian12) { host in
      try await Self.put(host, "make-veracrypt")
      try await Self.put(host, "make-bitlocker")
      // What is made here, cryptsetup reads; the file systems in it are made through cryptsetup.
      try await host.guest.succeed(
        """
        set -e
        make-veracrypt /root/vera.hc 24 12 <\(MailHost.passphraseFile)
        make-bitlocker /root/bit.img 24 \(Self.recovery) <\(MailHost.passphraseFile)
        cryptsetup tcryptDump --veracrypt --veracrypt-pim 12 /root/vera.hc <\(MailHost.passphraseFile) | grep -q aes
        cryptsetup open --type tcrypt --veracrypt --veracrypt-pim 12 /root/vera.hc made <\(MailHost.passphraseFile)
        mkfs.ext4 -q /dev/mapper/made
        cryptsetup close made
        cryptsetup open --type bitlk /root/bit.img made <\(MailHost.passphraseFile)
        mkfs.ext4 -q /dev/mapper/made
        cryptsetup close made
        """, timeout: .seconds(400))
      let further = """
        [[vault]]
        name = "vera"
        type = "veracrypt"
        device = "/root/vera.hc"
        pim = 12
        [[vault]]
        name = "bit"
        type = "bitlocker"
        device = "/root/bit.img"
        """
      try await host.guest.succeed(
        "mkdir -p /etc/mailboot/mailboot.toml.d; cat >/etc/mailboot/mailboot.toml.d/50.toml", stdin: Data(further.utf8))
      let unlocked = try await host.unlock("--no-start", configuration: Settings.toml(), timeout: .seconds(400))
      unlocked.expectSuccess("mounted and verified, nothing started")
      #expect(!unlocked.stdout.contains("without the vault"), "\(unlocked.stderr)")
      let mounts = try await host.guest.succeed("findmnt -nro SOURCE,TARGET,FSTYPE -t ext4 | grep /vault | sort")
      #expect(
        mounts == "/dev/mapper/vault-bit /vault-bit ext4\n/dev/mapper/vault-blk /vault ext4\n"
          + "/dev/mapper/vault-vera /vault-vera ext4\n")
      try await host.guest.succeed(
        "echo kept >/vault-vera/mail; echo kept >/vault-bit/mail; mailboot status --format json | grep -q veracrypt")
      let again = try await host.attempt("mailboot --no-start")
      again.expectSuccess("mounted and verified, nothing started")
      again.expectNothingLeftBehind()

      let locked = try await host.attempt("mailboot lock")
      #expect(locked.status == 0, "\(locked.stderr)")
      #expect(try await host.guest.run("dmsetup ls; losetup --all").stdout.contains("vault") == false)

      // As the only vault of its host, with the key taken away in an emergency.
      try await host.guest.succeed("rm /etc/mailboot/mailboot.toml.d/50.toml")
      for (vault, file) in [("type = \"veracrypt\"\npim = 12\n", "vera.hc"), ("type = \"bitlocker\"\n", "bit.img")] {
        let settings = Settings.toml(vault: vault + "device = \"/root/\(file)\"")
        let wrong = try await host.attempt(
          "mailboot --stdin --no-start", configuration: settings, stdin: GuestTools.wrongPassphrase,
          timeout: .seconds(400))
        wrong.expectFailure(10, error: "the passphrase was not accepted", hint: "Caps Lock")
        try await host.unlock("--no-start", timeout: .seconds(400)).expectSuccess("mounted and verified")
        #expect(try await host.guest.succeed("cat /vault/mail") == "kept\n")
        let emergency = try await host.attempt("mailboot lock --emergency")
        #expect(emergency.status == 0, "\(emergency.stderr)")
        #expect(try await host.guest.run("dmsetup ls").stdout.contains("vault") == false)
      }
    }
  }
}
