import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// A vault whose file system is not simply that of its mapping: LVM in it, btrfs, an automount point before it. Against mount tables and
/// sysfs as they were seen.
struct LayeredVaultTests {
  private let sysfs: TemporaryDirectory
  private let vault: LUKSVault

  init() throws {
    sysfs = try TemporaryDirectory()
    let block = "class/block"
    let uuid = "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-vault-blk"
    try sysfs.write("\(block)/vdb/dev", "252:16\n")
    for (node, name, uuid, number, slave) in [
      ("dm-0", "vault-blk", uuid, "254:0", "vdb"), ("dm-1", "mail--group-vault--data", "LVM-abc", "254:1", "dm-0"),
      ("dm-2", "other", "LVM-def", "254:2", "vdc"),
    ] {
      try sysfs.write("\(block)/\(node)/dm/name", name + "\n")
      try sysfs.write("\(block)/\(node)/dm/uuid", uuid + "\n")
      try sysfs.write("\(block)/\(node)/dev", number + "\n")
      try sysfs.write("\(block)/\(node)/slaves/\(slave)", "")
    }
    try sysfs.write("\(block)/dm-0/holders/dm-1", "")
    let numbers = ["/dev/mapper/vault-blk": "254:0", "/dev/mapper/mail--group-vault--data": "254:1", "/dev/sda": "8:0"]
    vault = LUKSVault(Configuration().vault, sysfs: sysfs.path) { numbers[$0] }
  }

  private func isMounted(_ table: String) throws -> Bool {
    let (opening, mount) = try vault.observe(MountTable(parsing: table))
    return Observation(opening: opening, mount: mount, bindsMounted: [], services: nil).vaultMounted
  }

  @Test(arguments: [
    ("254:0 / /vault rw,nosuid shared:1 - ext4 /dev/mapper/vault-blk rw", true),
    ("254:0 / /vault rw,nosuid shared:1 - xfs /dev/mapper/vault-blk rw,attr2,inode64,logbufs=8", true),
    ("254:1 / /vault rw,nosuid shared:1 - ext4 /dev/mapper/mail--group-vault--data rw", true),
    ("254:2 / /vault rw,nosuid shared:1 - ext4 /dev/mapper/other rw", false),
    ("0:45 /@vault /vault rw,nosuid shared:1 - btrfs /dev/mapper/vault-blk rw,ssd,subvolid=256,subvol=/@vault", true),
    ("0:45 / /vault rw,nosuid shared:1 - btrfs /dev/mapper/mail--group-vault--data rw,subvolid=5", true),
    ("0:45 / /vault rw,nosuid shared:1 - btrfs /dev/sda rw,subvolid=5,subvol=/", false),
    ("0:45 / /vault rw,nosuid shared:1 - tmpfs /dev/mapper/vault-blk rw", false),
    ("0:45 / /vault rw shared:1 - fuse.btrfs /dev/mapper/vault-blk rw,user_id=1000,group_id=1000", false),
    ("252:16 / /vault rw shared:1 - ext4 /dev/vdb rw", false),
    ("0:31 / /vault rw shared:1 - autofs systemd-1 rw,fd=44,pgrp=1,timeout=0,minproto=5,maxproto=5,direct", false),
  ])
  func theVaultIsKnownByWhatItLiesOn(_ line: String, _ isVault: Bool) throws {
    #expect(try isMounted("36 25 \(line)\n") == isVault)
  }

  /// `x-systemd.automount`: to look into it would wait for the mount.
  @Test func anAutomountPointIsNothingMountedYet() throws {
    let automount = "36 25 0:31 / /vault rw shared:1 - autofs systemd-1 rw,fd=44,pgrp=1,timeout=0,direct\n"
    let table = MountTable(parsing: automount)
    #expect(table.mount(on: "/vault") == nil && table.status(of: "/vault") == nil)
    #expect(table.isAutomount("/vault") && table.isCovered("/vault"))
    let (opening, mount) = try vault.observe(table)
    #expect(opening.isOpen && mount == nil)
    #expect(vault.fileSystem(table) == "254:0")
    let above = MountTable(parsing: automount + "37 36 254:0 / /vault rw shared:2 - ext4 /dev/mapper/vault-blk rw\n")
    #expect(above.mount(on: "/vault")?.filesystem == "ext4" && !above.isAutomount("/vault"))
    #expect(!above.isAutomount("/other") && !above.isCovered("/other"))
  }

  /// Without a line in fstab and a word in the configuration, what udev has seen counts.
  @Test(
    arguments: [
      ("xfs", "ext4", false, "xfs"), ("btrfs", "ext4", false, "btrfs"), (nil, "ext4", false, "ext4"),
      ("xfs", "ext3", false, "ext3"), ("LVM2_member", "ext4", true, "ext4"),
    ] as [(String?, String, Bool, String)])
  func itIsMountedAsWhatItIs(_ content: String?, _ configured: String, _ isInFstab: Bool, _ type: String) throws {
    var configuration = Configuration().vault
    configuration.filesystem = configured
    #expect(try LUKSVault(configuration).filesystem(content, isInFstab: isInFstab) == type)
  }

  @Test func lvmNeedsALineInFstab() throws {
    #expect(throws: Failure.self) { try vault.filesystem("LVM2_member", isInFstab: false) }
    let directory = try TemporaryDirectory()
    try directory.write("b254:0", "S:mapper/vault-blk\nE:ID_FS_TYPE=LVM2_member\nE:ID_FS_USAGE=raid\n")
    let mapping = try #require(vault.mapping)
    #expect(DeviceMapper.content(of: mapping, database: directory.path) == "LVM2_member")
    #expect(DeviceMapper.content(of: mapping, database: directory.file("none")) == nil)
  }

  @Test func theFileSystemInAVolumeIsTheOneToBeUnmounted() throws {
    let table = MountTable(parsing: "36 25 254:1 / /vault rw shared:1 - ext4 /dev/mapper/mail--group-vault--data rw\n")
    #expect(vault.fileSystem(table) == "254:1")
    let mapping = try #require(vault.mapping)
    #expect(DeviceMapper.volumeGroups(on: mapping, sysfs: sysfs.path) == ["mail-group"])
  }
}
