import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// Against a directory laid out as sysfs is.
struct DeviceMapperTests {
  private func sysfs() throws -> TemporaryDirectory {
    let sysfs = try TemporaryDirectory()
    let block = "class/block"
    for (name, mapping) in [("dm-0", "vault-blk2"), ("dm-1", "vault-blk"), ("dm-10", "old")] {
      try sysfs.write("\(block)/\(name)/dm/name", "\(mapping)\n")
      try sysfs.write("\(block)/\(name)/dm/uuid", "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-\(mapping)\n")
      try sysfs.write("\(block)/\(name)/dev", "254:\(name.dropFirst(3))\n")
    }
    try sysfs.write("\(block)/vda/dm/name", "imposter\n")
    try sysfs.write("\(block)/dm-1/slaves/vdb", "")
    try sysfs.write("\(block)/vdb/dev", "252:16\n")
    try sysfs.write("\(block)/dm-10/slaves/loop3", "")
    try sysfs.write("\(block)/loop3/loop/backing_file", "/srv/my vault.img\n")
    return sysfs
  }

  @Test func aMappingIsFoundByItsWholeName() throws {
    let sysfs = try sysfs()
    let mapping = try #require(DeviceMapper.mapping(named: "vault-blk", sysfs: sysfs.path))
    #expect(
      mapping
        == MappingStatus(
          device: "254:1", dmUUID: "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-vault-blk", backing: ["/dev/vdb"]))
    #expect(mapping.luksUUID == "01234567-89ab-cdef-0123-456789abcdef")
  }

  @Test func whatACascadeLiesOnIsBelowItsLayers() throws {
    let sysfs = try sysfs()
    // dm-0 on dm-1 on vdb.
    try sysfs.write("class/block/dm-0/slaves/dm-1", "")
    #expect(DeviceMapper.bottom(of: "vault-blk2", sysfs: sysfs.path) == ["/dev/vdb"])
    #expect(DeviceMapper.bottom(of: "old", sysfs: sysfs.path) == ["/srv/my vault.img"])
    #expect(DeviceMapper.bottom(of: "none", sysfs: sysfs.path) == nil)
  }

  @Test(
    arguments: [
      ("CRYPT-LUKS2-0123456789abcdef0123456789abcdef-x", VaultType.luks, "01234567-89ab-cdef-0123-456789abcdef"),
      ("CRYPT-TCRYPT-vault-backup", .veracrypt, nil),
      ("CRYPT-BITLK-0123456789abcdef0123456789abcdef-x", .bitlocker, "01234567-89ab-cdef-0123-456789abcdef"),
      ("LVM-abc", nil, nil), ("CRYPT-PLAIN-x", nil, nil),
    ] as [(String, VaultType?, String?)])
  func aMappingTellsItsFormat(_ uuid: String, _ type: VaultType?, _ volume: String?) {
    let mapping = MappingStatus(device: "254:0", dmUUID: uuid, backing: [])
    for other in VaultType.allCases { #expect(mapping.isVolume(of: other) == (other == type)) }
    #expect(mapping.volumeUUID == volume)
    #expect((mapping.luksUUID != nil) == (type == .luks))
  }

  @Test func aDiskThatIsGoneIsSeen() throws {
    let sysfs = try sysfs()
    let mapping = try #require(DeviceMapper.mapping(named: "vault-blk2", sysfs: sysfs.path))
    #expect(!mapping.hasItsDisk, "nothing is below it any more")
    try sysfs.write("class/block/dm-0/slaves/vdz", "")
    #expect(
      DeviceMapper.mapping(named: "vault-blk2", sysfs: sysfs.path)?.hasItsDisk == false, "an entry that leads nowhere")
    try sysfs.write("class/block/vdz/dev", "252:32\n")
    #expect(DeviceMapper.mapping(named: "vault-blk2", sysfs: sysfs.path)?.hasItsDisk == true)
  }

  @Test func behindALoopDeviceItsFileIsNamed() throws {
    let sysfs = try sysfs()
    #expect(DeviceMapper.mapping(named: "old", sysfs: sysfs.path)?.backing == ["/srv/my vault.img"])
  }

  @Test(arguments: ["vault", "vault-blk\n", "imposter", ""])
  func noOtherNameIsTaken(_ name: String) throws {
    let sysfs = try sysfs()
    #expect(DeviceMapper.mapping(named: name, sysfs: sysfs.path) == nil)
  }

  @Test func aMissingSysfsIsSeen() throws {
    let empty = try TemporaryDirectory()
    #expect(!DeviceMapper.isVisible(sysfs: empty.path))
    let full = try sysfs()
    #expect(DeviceMapper.isVisible(sysfs: full.path))
    #expect(DeviceMapper.mapping(named: "vault-blk", sysfs: empty.path) == nil)
  }

  @Test(
    arguments: [
      ("CRYPT-LUKS2-0123456789abcdef0123456789abcdef-a-b-c", "01234567-89ab-cdef-0123-456789abcdef"),
      ("CRYPT-LUKS1-0123456789abcdef0123456789abcdef-x", "01234567-89ab-cdef-0123-456789abcdef"),
      ("CRYPT-PLAIN-vault-blk", nil), ("LVM-abcdef", nil), ("CRYPT-LUKS2-0123-vault-blk", nil), ("", nil),
    ] as [(String, String?)])
  func onlyALUKSMappingHasAHeadersUUID(_ dmUUID: String, _ uuid: String?) {
    #expect(MappingStatus(device: "", dmUUID: dmUUID, backing: []).luksUUID == uuid)
  }

  @Test func anOpenVaultSaysThatItsDiskIsGone() throws {
    let sysfs = try sysfs()
    var vault = Configuration.Vault()
    let opened = try LUKSVault(vault, sysfs: sysfs.path).observe(MountTable(parsing: "")).opening
    #expect(
      opened
        == .open(OpenVault(device: "254:1", backing: "/dev/vdb", uuid: "01234567-89ab-cdef-0123-456789abcdef")))
    vault.mapping = "vault-blk2"
    let flawed = try LUKSVault(vault, sysfs: sysfs.path).observe(MountTable(parsing: "")).opening
    #expect(
      flawed.vault?.flaws == [
        "the disk below the open vault vault-blk2 is gone, or an emergency lock has taken its key away: `mailboot lock` clears it"
      ])
    try sysfs.write("class/block/dm-0/slaves/vdz", "")
    let pulled = try LUKSVault(vault, sysfs: sysfs.path).observe(MountTable(parsing: "")).opening
    #expect(pulled.vault?.flaws == ["the disk below the open vault vault-blk2 is gone"])
    vault.mapping = "none"
    #expect(try LUKSVault(vault, sysfs: sysfs.path).observe(MountTable(parsing: "")).opening == .closed)
  }
}
