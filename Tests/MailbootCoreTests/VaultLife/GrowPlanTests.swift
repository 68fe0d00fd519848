import MailbootCore
import Testing
import Text

/// What is to be done to make a vault larger, from the sizes of its layers alone.
struct GrowPlanTests {
  private let offset: UInt64 = 16 << 20

  private func layers(
    _ container: VaultLayers.Container, _ bytes: UInt64, loop: UInt64? = nil, mapping: UInt64? = nil,
    fileSystem: UInt64? = nil
  ) -> VaultLayers {
    let inside = mapping ?? bytes - offset
    return VaultLayers(
      container: container, containerBytes: bytes, loopBytes: container == .file ? loop ?? bytes : nil,
      mappingBytes: inside, fileSystemBytes: fileSystem ?? inside, dataOffset: offset, sectorSize: 4096)
  }

  @Test func aFileIsExtendedAndEveryLayerFollows() throws {
    let steps = try layers(.file, 1 << 30).steps(to: 2 << 30)
    #expect(steps == [.extendFile(2 << 30), .loopDevice, .mapping, .fileSystem])
  }

  @Test func whatACutHasLeftIsDoneAndSaid() throws {
    let cut = layers(.file, 2 << 30, loop: 2 << 30, mapping: (1 << 30) - offset)
    #expect(try cut.steps(to: nil) == [.mapping, .fileSystem])
    #expect(cut.unfinished == ["the mapping has 1008 MiB of 2.0 GiB"])
    let later = layers(.file, 2 << 30, fileSystem: 1 << 30)
    #expect(try later.steps(to: 2 << 30) == [.fileSystem])
  }

  @Test func aPartitionTakesTheRoomBehindIt() throws {
    let partition = layers(.partition(room: 3 << 30), 1 << 30)
    #expect(try partition.steps(to: nil) == [.extendPartition(3 << 30), .mapping, .fileSystem])
    #expect(throws: GrowRefusal.noRoom(most: 3 << 30)) { try partition.steps(to: 4 << 30) }
  }

  @Test func aDiskThatHasGrownIsTakenAsItIs() throws {
    let disk = layers(.device, 2 << 30, mapping: (1 << 30) - offset)
    #expect(try disk.steps(to: nil) == [.mapping, .fileSystem])
    #expect(throws: GrowRefusal.notOurs(now: 2 << 30)) { try disk.steps(to: 3 << 30) }
  }

  @Test func nothingIsMadeSmaller() throws {
    #expect(throws: GrowRefusal.smaller(now: 1 << 30)) { try layers(.file, 1 << 30).steps(to: 1 << 29) }
    #expect(throws: GrowRefusal.nothingSaid) { try layers(.file, 1 << 30).steps(to: nil) }
    #expect(try layers(.device, 1 << 30).steps(to: nil).isEmpty)
  }

  @Test func sizesAreReadAsPeopleWriteThem() {
    #expect(ByteCount.parse("10G") == 10 << 30)
    #expect(ByteCount.parse("512MiB") == 512 << 20)
    #expect(ByteCount.parse("1.5T") == 3 << 39)
    for text in ["", "G", "-1G", "10X", "1.5", "99999999999T"] { #expect(ByteCount.parse(text) == nil, "\(text)") }
    #expect(ByteCount.text(1536 << 20) == "1.5 GiB")
  }

  @Test func aTableSaysEveryKeyOfItsKind() {
    var vault = Configuration.Vault()
    vault.type = .gocryptfs
    vault.device = #"/srv/a "b"\c"#
    #expect(
      vault.table == """
        [vault]
        type = "gocryptfs"
        device = "/srv/a \\"b\\"\\\\c"
        mount = "/vault"
        options = ["nosuid"]

        """)
  }
}
