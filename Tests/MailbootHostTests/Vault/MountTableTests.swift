import MailbootCore
import Testing

@testable import MailbootHost

struct MountTableTests {
  static let text = """
    22 27 0:20 / /sys rw,nosuid - sysfs sysfs rw
    27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
    36 27 98:0 /mnt1 /mnt2 rw,noatime master:1 propagate_from:2 - ext3 /dev/root rw,errors=continue
    90 27 254:0 / /vault rw shared:9 - ext4 /dev/mapper/vault-blk rw
    91 27 254:0 /www /var/www/private rw shared:9 - ext4 /dev/mapper/vault-blk rw
    92 27 0:50 / /my\\040vault\\011x rw - tmpfs back\\134slash rw
    93 27 0:51 / /upper rw - tmpfs first rw
    94 93 0:52 / /upper rw - tmpfs second rw
    95 27 0:53 / /dash rw shared:3 - fuse.x-y - rw

    short line
    1 2 3 4 - 5

    """
  private let table = MountTable(parsing: Self.text)

  @Test func everyWellFormedLineIsAnEntry() {
    #expect(table.entries.count == 9)
    #expect(
      table.mount(on: "/vault")
        == MountEntry(
          device: "254:0", root: "/", mountPoint: "/vault", filesystem: "ext4", source: "/dev/mapper/vault-blk"))
  }

  @Test func theOptionalFieldsBeforeTheDashMayBeManyOrNone() {
    #expect(table.mount(on: "/sys")?.filesystem == "sysfs")
    let part = table.mount(on: "/mnt2")
    #expect(
      part?.device == "98:0" && part?.root == "/mnt1" && part?.filesystem == "ext3" && part?.source == "/dev/root")
  }

  @Test func aBindMountShowsWhichDirectoryItIs() {
    #expect(table.mount(on: "/var/www/private")?.root == "/www")
  }

  @Test func escapedCharactersAreRead() {
    let mount = table.mount(on: "/my vault\tx")
    #expect(mount?.device == "0:50")
    #expect(mount?.source == "back\\slash")
  }

  @Test func ofSeveralMountsOnOnePathTheUppermostCounts() {
    #expect(table.mount(on: "/upper")?.source == "second")
  }

  @Test func aSourceThatIsADashIsNoSeparator() {
    #expect(table.mount(on: "/dash")?.source == "-")
  }

  /// A service that systemd gives a read-only view (`ProtectSystem=strict`) sees each mount so; the file system itself is not.
  @Test func aReadOnlyMountIsNotAReadOnlyFileSystem() throws {
    let table = MountTable(
      parsing: """
        1 0 254:0 / /own ro,relatime - ext4 /dev/x rw,errors=remount-ro
        2 0 254:1 / /all rw,relatime - ext4 /dev/y ro
        3 0 254:2 / /rooms rw,nosuid - ext4 /dev/z rw,data=ro
        """)
    let own = try #require(table.mount(on: "/own"))
    #expect(own.isReadOnly && !own.hasReadOnlyFileSystem)
    #expect(!MountStatus(own).isReadOnly)
    let all = try #require(table.mount(on: "/all"))
    #expect(!all.isReadOnly && all.hasReadOnlyFileSystem)
    #expect(MountStatus(all).isReadOnly)
    let rooms = try #require(table.mount(on: "/rooms"))
    #expect(!rooms.isReadOnly && !rooms.hasReadOnlyFileSystem)
  }

  @Test func onlyTheVeryPathCounts() {
    #expect(table.mount(on: "/vault/") == nil)
    #expect(table.mount(on: "/vaul") == nil)
    #expect(table.mount(on: "/vault/mail") == nil)
  }

  @Test(arguments: [
    (#"a\040b"#, "a b"), (#"\134040"#, #"\040"#), (#"end\04"#, #"end\04"#), (#"\089"#, #"\089"#), ("", ""),
    (#"gr\303\274n"#, "grün"), (#"\"#, #"\"#),
  ])
  func octalEscapes(_ field: String, _ text: String) {
    #expect(unescaped(field[...]) == text)
  }

  @Test func thisMachinesTableIsReadWithItsSizes() throws {
    let table = try #require(MountTable.current())
    #expect(table.mount(on: "/proc")?.filesystem == "proc")
    let root = try #require(table.status(of: "/"))
    let size = try #require(root.sizeBytes)
    let available = try #require(root.availableBytes)
    #expect(size > 0 && available <= size)
    #expect(table.status(of: "/no/such/mount") == nil)
  }

  @Test(
    arguments: [
      ("/dev/mapper/vault-blk /vault ext4 noauto 0 2", "/dev/mapper/vault-blk"),
      ("UUID=1\t/vault\t\text4", "UUID=1"), ("# /dev/x /vault ext4\n/dev/y /vault ext4 defaults", "/dev/y"),
      ("/dev/x /vault/mail ext4 a 0 0\n/dev/y /vault ext4 a", "/dev/y"), ("/dev/a\\040b /vault ext4 a", "/dev/a b"),
      ("/dev/y /vault/ ext4 a", "/dev/y"), ("  /dev/y //vault xfs", "/dev/y"),
      ("/dev/x /vault2 ext4 a", nil), ("/dev/x none swap sw", nil), ("/dev/x /vault", nil), ("", nil),
      ("#/dev/x /vault ext4 a", nil),
    ] as [(String, String?)])
  func theLineOfFstabForAMountPointIsFound(_ fstab: String, _ source: String?) {
    #expect(FstabEntry.line(for: "/vault", in: fstab)?.source == source)
  }

  @Test func anEscapedMountPointOfFstabIsFound() {
    let entry = FstabEntry.line(for: "/my vault", in: "LABEL=x /my\\040vault btrfs subvol=a 0 0")
    #expect(entry == FstabEntry(source: "LABEL=x", mountPoint: "/my vault", filesystem: "btrfs"))
  }
}
