import JSON
import MailbootCore
import Testing

/// What lsblk and wipefs of Debian 12 and 13 write, taken from there.
struct DeviceContentsTests {
  private func contents(_ listing: String, signatures: String? = nil) throws -> DeviceContents {
    let listing = try #require(JSONText(parsing: Array(listing.utf8)))
    return try #require(
      DeviceContents(listing: listing, signatures: signatures.flatMap { JSONText(parsing: Array($0.utf8)) }))
  }

  private func device(
    _ type: String = "disk", fstype: String? = nil, label: String? = nil, pttype: String? = nil, ro: Bool = false,
    mounts: String = "null", children: String = ""
  ) -> String {
    func text(_ value: String?) -> String { value.map { "\"\($0)\"" } ?? "null" }
    return """
      {"path":"/dev/vdb","type":"\(type)","size":1073741824,"ro":\(ro),"fstype":\(text(fstype)),"label":\(text(label)),
       "pttype":\(text(pttype)),"mountpoints":[\(mounts)]\(children.isEmpty ? "" : ",\"children\":[\(children)]")}
      """
  }

  private func listing(_ device: String) -> String { "{\"blockdevices\":[\(device)]}" }

  @Test func anEmptyDiskHasNothingOnIt() throws {
    let empty = try contents(listing(device()))
    #expect(empty.contents.isEmpty)
    #expect(empty.uses.isEmpty)
    #expect(empty.size == 1 << 30)
    #expect(!empty.isReadOnly)
  }

  @Test func aFileSystemIsNamedWithItsLabel() throws {
    let disk = try contents(listing(device(fstype: "ext4", label: "old mail")))
    #expect(disk.contents == ["/dev/vdb: ext4 \"old mail\""])
    #expect(disk.uses.isEmpty)
  }

  @Test func whatUdevHasNotSeenYetIsReadFromTheDevice() throws {
    let disk = try contents(
      listing(device()),
      signatures: #"{"signatures":[{"device":"vdb","offset":"0x438","type":"ext4","uuid":"1","label":null}]}"#)
    #expect(disk.contents == ["/dev/vdb: ext4"])
    // The same twice is said once.
    let known = try contents(
      listing(device(fstype: "ext4")), signatures: #"{"signatures":[{"device":"vdb","type":"ext4","label":null}]}"#)
    #expect(known.contents.count == 1)
  }

  @Test func whatIsMountedIsInUse() throws {
    #expect(
      try contents(listing(device(fstype: "ext4", mounts: "\"/srv\""))).uses == [.mounted("/dev/vdb", on: "/srv")])
    #expect(try contents(listing(device(fstype: "swap", mounts: "\"[SWAP]\""))).uses == [.swap("/dev/vdb")])
  }

  @Test func aMountedPartitionKeepsTheWholeDiskInUse() throws {
    let part =
      #"{"path":"/dev/vdb1","type":"part","size":1,"ro":false,"fstype":"vfat","label":null,"pttype":"gpt","mountpoints":["/boot/efi"]}"#
    let disk = try contents(listing(device(pttype: "gpt", children: part)))
    #expect(disk.uses == [.mounted("/dev/vdb1", on: "/boot/efi")])
    #expect(disk.contents == ["/dev/vdb1: vfat"])
  }

  @Test(arguments: [
    ("isw_raid_member", "a RAID array"), ("nvidia_raid_member", "a RAID array"), ("mpath_member", "a multipath device"),
    ("drbd", "a replicated device"), ("VMFS_volume_member", "something larger"),
  ])
  func soAreThoseOfRarerKinds(_ type: String, _ group: String) throws {
    #expect(try contents(listing(device(fstype: type))).uses == [.member("/dev/vdb", of: group)])
  }

  @Test func membersOfSomethingLargerAreInUse() throws {
    #expect(try contents(listing(device(fstype: "LVM2_member"))).uses == [.member("/dev/vdb", of: "a volume group")])
    #expect(
      try contents(listing(device(fstype: "linux_raid_member"))).uses == [.member("/dev/vdb", of: "a RAID array")])
    let volume =
      #"{"path":"/dev/mapper/vg-mail","type":"lvm","size":1,"ro":false,"fstype":"ext4","label":null,"pttype":null,"mountpoints":[null]}"#
    #expect(
      try contents(listing(device(fstype: "LVM2_member", children: volume))).uses.contains(
        .below("/dev/mapper/vg-mail", kind: "lvm")))
    let signed = try contents(
      listing(device()), signatures: #"{"signatures":[{"device":"vdb","type":"linux_raid_member","label":"host:0"}]}"#)
    #expect(signed.uses == [.member("/dev/vdb", of: "a RAID array")])
  }

  @Test func anOpenVaultIsInUse() throws {
    let mapping =
      #"{"path":"/dev/mapper/vault-blk","type":"crypt","size":1,"ro":false,"fstype":"ext4","label":null,"pttype":null,"mountpoints":["/vault"]}"#
    let disk = try contents(listing(device(fstype: "crypto_LUKS", children: mapping)))
    #expect(disk.uses == [.below("/dev/mapper/vault-blk", kind: "crypt")])
  }

  @Test func readOnlyIsSeen() throws { #expect(try contents(listing(device(ro: true))).isReadOnly) }

  @Test func anythingElseIsNotTakenForAnEmptyDisk() {
    for text in ["{}", "[]", #"{"blockdevices":[]}"#, #"{"blockdevices":[{"path":"/dev/vdb"}]}"#] {
      #expect(DeviceContents(listing: JSONText(parsing: Array(text.utf8)) ?? .null, signatures: nil) == nil)
    }
  }
}
