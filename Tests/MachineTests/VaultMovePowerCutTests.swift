import Foundation
import MachineKit
import SceneSupport
import Testing

/// From a disk into a file, while mail is at work; and power that fails at each step of it.
struct VaultMovePowerCutTests {
  private static let tools = "/usr/local/lib/mailboot-machine"

  // On one release, for the time it takes; the steps themselves are seen natively as well.
  @Test func aMoveToAnotherDeviceGoesOnAfterEachPowerCutAndLosesNoMail() async throws {
    let machine = try await Machine.fresh(.debian12)
    defer { machine.close() }
    func prepare() async throws {
      try await machine.put("/run/passphrase", Data(GuestCredentials.vaultPassphrase.utf8), mode: 0o600)
    }
    func mail(_ subject: String) async throws {
      try await machine.succeed("\(Self.tools)/send-mail \(subject)", timeout: .seconds(200))
      try await machine.succeed("\(Self.tools)/read-mail \(subject) --wait 60 >/dev/null", timeout: .seconds(200))
    }
    try await prepare()
    // Its line would be in the way of another vault: `move` says so, and what to do.
    try await machine.succeed("sed -i '/[[:space:]].vault[[:space:]]/d' /etc/fstab; systemctl daemon-reload")
    try await machine.succeed("mailboot --key-file /run/passphrase", timeout: .seconds(600))
    let made = try await machine.run(
      "printf '%s\\n' \"$(cat /run/passphrase)\" | mailboot vault create --next --file /root/next.luks --size 140M --stdin --memory 64M",
      timeout: .seconds(600))
    try #require(made.status == 0, "\(made.stderr)")
    try await machine.succeed(
      """
      mkdir /vault/bulk
      for n in $(seq 20); do head -c 1000000 /dev/urandom >/vault/bulk/$n; done
      cd /vault/bulk && md5sum * >/root/sums; sync
      """, timeout: .seconds(300))
    try await mail("before")
    let old = try await machine.succeed("findmnt -no SOURCE /vault; blkid -s UUID -o value /dev/vdb")

    for (number, (moment, isSwitched)) in [
      ("grep -q 'copying while' /run/out", false), ("grep -q 'mail is stopped' /run/out", false),
      ("grep -q 'reading both' /run/out", false), ("test ! -e /etc/mailboot/next-vault.toml", true),
    ].enumerated() {
      let moving = try await machine.start("mailboot vault move --key-file /run/passphrase >/run/out 2>&1")
      try await machine.succeed(
        "for try in {1..400}; do if \(moment); then exit 0; fi; sleep 0.05; done; cat /run/out >&2; exit 1",
        timeout: .seconds(400))
      withExtendedLifetime(moving) {}
      try await machine.powerCut()
      try await machine.bootAgain()
      try await prepare()
      // The two have the same passphrase; which one is opened, the configuration says.
      let again = try await machine.run("mailboot --key-file /run/passphrase", timeout: .seconds(600))
      #expect(again.status == 0, "cut \(number): \(again.stderr)")
      let backing = try await machine.succeed(
        "cryptsetup status $(basename $(findmnt -no SOURCE /vault)) | grep -E '^ *(device|loop):'")
      #expect(backing.contains("/root/next.luks") == isSwitched, "cut \(number): \(backing)")
      try await machine.succeed("cd /vault/bulk && md5sum --quiet -c /root/sums")
      try await machine.succeed("\(Self.tools)/read-mail before --wait 60 >/dev/null", timeout: .seconds(200))
      try await mail("cut\(number)")
    }
    let status = try await machine.run("mailboot status")
    #expect(status.status == 0, "\(status.stdout)")
    for number in 0..<4 { try await machine.succeed("\(Self.tools)/read-mail cut\(number) --wait 60 >/dev/null") }
    // The old one is kept until told, and comes back when wanted.
    #expect(
      try await machine.succeed("blkid -s UUID -o value /dev/vdb") == old.split(separator: "\n").last.map { $0 + "\n" })
    let back = try await machine.run(
      "mailboot vault move --back --yes --key-file /run/passphrase", timeout: .seconds(900))
    #expect(back.status == 0, "\(back.stderr)")
    try await machine.succeed("\(Self.tools)/read-mail before --wait 60 >/dev/null", timeout: .seconds(200))
    #expect(
      try await machine.succeed("findmnt -no SOURCE /vault") == old.split(separator: "\n").first.map { $0 + "\n" })
  }
}
