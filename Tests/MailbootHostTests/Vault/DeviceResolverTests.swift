import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

struct DeviceResolverTests {
  @Test(arguments: [
    ("/dev/vdb", "/dev/vdb"), ("/srv/vault.img", "/srv/vault.img"),
    ("UUID=1A2B-3C4D", "/dev/disk/by-uuid/1A2B-3C4D"), ("UUID=\"0d8f\"", "/dev/disk/by-uuid/0d8f"),
    ("UUID=6A1F3C2E-0000-4B6D-9A51-0123456789AB", "/dev/disk/by-uuid/6a1f3c2e-0000-4b6d-9a51-0123456789ab"),
    ("UUID=4E1A2B3C4D5E6F70", "/dev/disk/by-uuid/4E1A2B3C4D5E6F70"),
    ("PARTUUID=AB-01", "/dev/disk/by-partuuid/ab-01"), ("LABEL=Mail", "/dev/disk/by-label/Mail"),
    ("LABEL=my vault/1", #"/dev/disk/by-label/my\x20vault\x2f1"#), ("PARTLABEL=Mail", "/dev/disk/by-partlabel/Mail"),
  ])
  func aTagIsUdevsLinkAndAPathStaysItself(_ configured: String, _ path: String) {
    #expect(DeviceResolver.path(for: configured) == path)
  }

  @Test(arguments: [
    ("plain-1.0_x:y=@+#", "plain-1.0_x:y=@+#"), ("a b", #"a\x20b"#), (#"a\b"#, #"a\x5cb"#), ("tab\t", #"tab\x09"#),
    ("Grüße", "Grüße"), ("50%", #"50\x25"#), ("", ""),
  ])
  func labelsAreEncodedAsUdevDoes(_ label: String, _ encoded: String) {
    #expect(DeviceResolver.udevEncoded(label) == encoded)
  }

  @Test(
    arguments: [
      ("vault-blk /dev/vdb none luks", "/dev/vdb"), ("vault-blk\tUUID=12-34\tnone", "UUID=12-34"),
      ("# vault-blk /dev/x none\nother /dev/y\n  vault-blk   /dev/z", "/dev/z"), ("vault-blk", nil), ("", nil),
      ("#vault-blk /dev/x", nil), ("vault-blk2 /dev/x none", nil),
    ] as [(String, String?)])
  func theDeviceOfCrypttabIsTheMappingsOwn(_ crypttab: String, _ device: String?) {
    #expect(DeviceResolver.crypttabDevice(of: "vault-blk", in: crypttab) == device)
  }

  @Test func theOptionsOfCrypttabAreTheMappingsOwn() throws {
    let text =
      "other /dev/x none discard\nvault-blk /dev/y none luks,discard,header=/root/h,x-systemd.device-timeout=0\n"
    let entry = try #require(DeviceResolver.crypttabEntry(of: "vault-blk", in: text))
    #expect(entry.options == ["luks", "discard", "header=/root/h", "x-systemd.device-timeout=0"])
    #expect(DeviceResolver.crypttabEntry(of: "vault-blk", in: "vault-blk /dev/y none")?.options == [])
    let directory = try TemporaryDirectory()
    var vault = Configuration().vault
    let luks = LUKSVault(vault, crypttab: try directory.write("crypttab", text))
    #expect(luks.header == "/root/h" && luks.crypttabOptions.contains("discard"))
    vault.header = "/root/ours"
    #expect(LUKSVault(vault, crypttab: directory.file("crypttab")).header == "/root/ours")
  }

  private func resolve(_ device: String, timeout: Int = 0) throws -> String {
    var vault = Configuration().vault
    vault.device = device
    return try withReactor { reactor in try DeviceResolver(vault: vault, timeout: timeout).resolve(reactor) }
  }

  @Test func twoDevicesOfOneLabelAreBothFound() throws {
    let root = try TemporaryDirectory()
    let luks = "E:ID_FS_TYPE=crypto_LUKS\nE:ID_FS_LABEL_ENC=Mail\n"
    for (name, number, text) in [
      ("vdb", "252:16", luks), ("vdc", "252:32", luks),
      ("vdd", "252:48", "E:ID_FS_TYPE=ext4\nE:ID_FS_LABEL_ENC=Mail\n"),
      ("vde", "252:64", "E:ID_FS_TYPE=crypto_LUKS\nE:ID_FS_LABEL_ENC=mail\n"), ("dm-3", "254:3", luks),
    ] {
      try root.write("sys/class/block/\(name)/dev", number + "\n")
      try root.write("data/b\(number)", text)
    }
    func found(_ line: String) -> [String] {
      DeviceResolver.encryptedDevices(with: line, sysfs: root.file("sys"), database: root.file("data"))
    }
    #expect(found("E:ID_FS_LABEL_ENC=Mail") == ["/dev/dm-3", "/dev/vdb", "/dev/vdc"])
    #expect(found("E:ID_FS_LABEL_ENC=mail") == ["/dev/vde"])
    // What lies on another one of them is the same volume, seen through one more layer.
    try root.write("sys/class/block/dm-3/slaves/vdc", "")
    #expect(found("E:ID_FS_LABEL_ENC=Mail") == ["/dev/dm-3", "/dev/vdb"])
  }

  @Test func aRegularFileIsADevice() throws {
    let directory = try TemporaryDirectory()
    let image = try directory.write("vault.img", "x")
    #expect(try resolve(image) == image)
  }

  @Test func aMissingFileIsNotWaitedFor() throws {
    let begun = Reactor.monotonic()
    #expect(throws: Failure.deviceNotFound(wanted: "/no/such.img", waited: 0)) {
      try resolve("/no/such.img", timeout: 30)
    }
    #expect(Reactor.monotonic() - begun < 5)
  }

  @Test func aMissingDeviceIsWaitedForAndNamedAsConfigured() throws {
    let begun = Reactor.monotonic()
    #expect(throws: Failure.deviceNotFound(wanted: "UUID=00-no-such", waited: 1)) {
      try resolve("UUID=00-no-such", timeout: 1)
    }
    #expect(Reactor.monotonic() - begun >= 1)
  }

  @Test(arguments: ["/tmp", "/dev/null"])
  func neitherADirectoryNorACharacterDeviceHoldsAVault(_ path: String) throws {
    let failure = #expect(throws: Failure.self) { try resolve(path) }
    #expect(failure?.exitCode == .vault)
    #expect(failure?.summary == "there is no device \(path): it is neither a block device nor a regular file")
  }
}
