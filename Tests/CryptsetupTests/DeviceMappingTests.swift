import Foundation
import Testing

@testable import Cryptsetup

/// How mappings are recognized, on a tree of files like sysfs: the real one is used in the disposable machine.
@Suite struct DeviceMappingTests {
  private let tree: SysfsTree

  init() throws {
    tree = try SysfsTree()
    try tree.add("vdb", ["dev": "254:16"])
    try tree.add("loop3", ["dev": "7:3", "loop/backing_file": tree.file])
    try tree.add("dm-0", ["dev": "253:0", "dm/name": "swap", "dm/uuid": "CRYPT-PLAIN-swap"], above: ["vdb"])
    try tree.add(
      "dm-1", ["dev": "253:1", "dm/name": "vault-blk_dif", "dm/uuid": "CRYPT-SUBDEV-x"], above: ["loop3"])
    try tree.add(
      "dm-10",
      [
        "dev": "253:10", "dm/name": "vault-blk", "dm/uuid": "CRYPT-LUKS2-\(Self.volume.filter { $0 != "-" })-vault-blk",
      ],
      above: ["dm-1"])
    try tree.add("dm-2", ["dev": "253:2", "dm/name": "vg-root", "dm/uuid": "LVM-abc"], above: ["vdb"])
  }

  private static let volume = "1d345bd9-81ac-45de-a565-674aaf5038c7"

  @Test func aMappingIsFoundByItsName() throws {
    let vault = try #require(DeviceMapping.named("vault-blk", sysfs: tree.root))
    #expect(vault.isEncrypted)
    #expect(vault.isVolume(version: 2, uuid: Self.volume))
    #expect(!vault.isVolume(version: 1, uuid: Self.volume))
    #expect(!vault.isVolume(version: 2, uuid: "1d345bd9-81ac-45de-a565-674aaf5038c8"))
    #expect(DeviceMapping.named("vault", sysfs: tree.root) == nil)
    #expect(DeviceMapping.all(sysfs: tree.root).count == 4)
  }

  @Test func whatALogicalVolumeIsCalledDoesNotMakeItEncrypted() throws {
    #expect(try #require(DeviceMapping.named("vg-root", sysfs: tree.root)).isEncrypted == false)
  }

  @Test func aFileBehindALoopDeviceIsRecognizedThroughEveryLayerAndName() throws {
    let vault = try #require(DeviceMapping.named("vault-blk", sysfs: tree.root))
    #expect(vault.lies(on: tree.file))
    #expect(vault.lies(on: tree.otherNameOfFile))
    #expect(!vault.lies(on: tree.otherFile))
    #expect(!vault.lies(on: tree.root + "/missing"))
    #expect(try #require(DeviceMapping.named("swap", sysfs: tree.root)).lies(on: tree.file) == false)
  }

  @Test func whatIsOpenUnderAnyNameIsSeen() {
    let found = DeviceMapping.opened(on: tree.otherNameOfFile, sysfs: tree.root)
    #expect(found.sorted() == ["vault-blk", "vault-blk_dif"])
    #expect(DeviceMapping.opened(on: tree.otherFile, sysfs: tree.root) == [])
  }

  @Test func ofAFileTheLoopDeviceOfTheOpenMappingIsTaken() {
    #expect(DeviceMapping.node(of: tree.otherNameOfFile, below: "vault-blk", sysfs: tree.root) == "/dev/loop3")
    #expect(DeviceMapping.node(of: tree.otherFile, below: "vault-blk", sysfs: tree.root) == tree.otherFile)
    #expect(DeviceMapping.node(of: tree.file, below: nil, sysfs: tree.root) == tree.file)
    #expect(DeviceMapping.node(of: "/dev/null", below: "swap", sysfs: tree.root) == "/dev/null")
  }

  @Test func messagesNameTheFileOrDeviceBelow() throws {
    #expect(DeviceMapping.named("vault-blk_dif", sysfs: tree.root)?.backing == tree.file)
    #expect(DeviceMapping.named("swap", sysfs: tree.root)?.backing == "/dev/vdb")
    #expect(DeviceMapping.named("vault-blk_dif", sysfs: tree.root)?.holders == ["dm-10"])
    #expect(DeviceMapping.named("vault-blk", sysfs: tree.root)?.holders == [])
  }

  @Test func withoutDeviceMapperThereAreNoMappings() {
    #expect(DeviceMapping.all(sysfs: tree.root + "/missing") == [])
  }
}

/// A directory like `/sys/class/block`.
private final class SysfsTree {
  let root: String
  let file: String
  let otherNameOfFile: String
  let otherFile: String

  init() throws {
    let directory = NSTemporaryDirectory() + "sysfs-" + UUID().uuidString
    root = directory + "/block"
    file = directory + "/vault.img"
    otherNameOfFile = directory + "/link.img"
    otherFile = directory + "/other.img"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    for path in [file, otherFile] { try Data([1]).write(to: URL(fileURLWithPath: path)) }
    try FileManager.default.createSymbolicLink(atPath: otherNameOfFile, withDestinationPath: file)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: (root as NSString).deletingLastPathComponent)
  }

  func add(_ node: String, _ attributes: [String: String], above lower: [String] = []) throws {
    for (name, value) in attributes {
      let path = "\(root)/\(node)/\(name)"
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try (value + "\n").write(toFile: path, atomically: false, encoding: .utf8)
    }
    for other in lower {
      try link(other, "\(node)/slaves")
      try link(node, "\(other)/holders")
    }
  }

  private func link(_ node: String, _ directory: String) throws {
    try FileManager.default.createDirectory(atPath: "\(root)/\(directory)", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(root)/\(directory)/\(node)", withDestinationPath: "../../\(node)")
  }
}
