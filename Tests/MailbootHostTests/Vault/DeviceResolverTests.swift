import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

struct DeviceResolverTests {
  @Test(arguments: [
    ("/dev/vdb", "/dev/vdb"), ("/srv/vault.img", "/srv/vault.img"),
    ("UUID=0D8F-ABCD", "/dev/disk/by-uuid/0d8f-abcd"), ("UUID=\"0d8f\"", "/dev/disk/by-uuid/0d8f"),
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

  private func resolve(_ device: String, timeout: Int = 0) throws -> String {
    var vault = Configuration().vault
    vault.device = device
    return try withReactor { reactor in try DeviceResolver(vault: vault, timeout: timeout).resolve(reactor) }
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
