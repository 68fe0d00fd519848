import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// What is read of processes, mounts and block devices.
struct VaultUseTests {
  @Test(
    arguments: [
      ("0::/system.slice/system-postfix.slice/postfix@-.service\n", "postfix@-.service"),
      ("0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope"),
      ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/editor.scope\n", "user@1000.service"),
      ("12:cpu:/x\n0::/system.slice/dovecot.service/worker\n", "dovecot.service"),
      ("0::/system.slice/_cgroup.service\n", "cgroup.service"),
      ("0::/\n", nil), ("0::/init.scope\n", "init.scope"), ("0::/docker/8f\n", nil), ("", nil),
    ] as [(String, String?)])
  func theUnitOfAProcessIsTheFirstThatIsNoSlice(_ text: String, _ unit: String?) {
    #expect(ProcessEntry.unit(inCgroup: text) == unit)
  }

  @Test func aDeviceNumberReadsAsTheKernelWritesIt() throws {
    let device = try #require(DeviceNumber("254:10"))
    #expect(device.hexadecimal == "fe:0a")
    #expect(device.text == "254:10")
    #expect(DeviceNumber("254") == nil && DeviceNumber("a:b") == nil)
    #expect(DeviceNumber(ofFile: "/no/such/file") == nil)
  }

  private static let table = MountTable(
    parsing: """
      22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
      40 22 254:0 / /vault rw shared:2 - ext4 /dev/mapper/vault-blk rw
      41 22 254:0 /www /var/www/private rw shared:2 - ext4 /dev/mapper/vault-blk rw
      42 22 254:0 /vmail /srv/a\\040b rw shared:2 - ext4 /dev/mapper/vault-blk rw

      """)

  @Test func aMountThatIsNotOfTheConfigurationIsInTheWay() throws {
    let sysfs = try TemporaryDirectory()
    let device = try #require(DeviceNumber("254:0"))
    let found = MountHolders.obstacles(
      device: device, ours: ["/vault", "/var/www/private"], table: Self.table, sysfs: sysfs.path, proc: sysfs.path)
    #expect(found == [.mount("/srv/a b")])
  }

  @Test func somethingMountedOverTheVaultIsInTheWay() throws {
    let sysfs = try TemporaryDirectory()
    let device = try #require(DeviceNumber("254:0"))
    let table = MountTable(
      parsing: """
        40 22 254:0 / /vault rw shared:2 - ext4 /dev/mapper/vault-blk rw
        43 40 0:55 / /vault rw shared:3 - tmpfs something rw

        """)
    let found = MountHolders.obstacles(
      device: device, ours: ["/vault"], table: table, sysfs: sysfs.path, proc: sysfs.path)
    #expect(found == [.covered("/vault", by: "something")])
  }

  @Test func loopDevicesAndSwapOnFilesAndDevicesOnTheMappingAreInTheWay() throws {
    let place = try TemporaryDirectory()
    let image = try place.write("my image", "")
    let block = "class/block"
    try place.write("\(block)/loop4/loop/backing_file", image + "\n")
    try place.write("\(block)/loop5/loop/backing_file", "/no/such\n")
    let device = try #require(DeviceNumber(ofFile: image))
    try place.write("\(block)/dm-0/dev", device.text + "\n")
    try place.write("\(block)/dm-0/holders/dm-3", "")
    try place.write("\(block)/dm-1/dev", "254:77\n")
    try place.write("\(block)/dm-1/holders/dm-4", "")
    let escaped = image.split(separator: " ").joined(separator: "\\040")
    try place.write("swaps", "Filename Type Size Used Priority\n\(escaped) file 1 0 -2\n/dev/vdc partition 1 0 -3\n")
    let found = MountHolders.obstacles(
      device: device, ours: [], table: MountTable(parsing: ""), sysfs: place.path, proc: place.path)
    #expect(found == [.device("dm-3"), .loop(device: "/dev/loop4", file: image), .swap(file: image)])
  }

  @Test func whoHoldsTheLockIsKnown() throws {
    let place = try TemporaryDirectory()
    let directory = RuntimeDirectory(path: place.path)
    #expect(directory.lockHolder() == nil)
    try directory.withLock { #expect(directory.lockHolder() == getpid()) }
    #expect(directory.lockHolder() == nil)
    #expect(try place.names() == ["lock"])
  }
}
