import MailbootCore
import Testing

/// Whether a vault goes into another one, before anything is copied.
struct MoveRoomTests {
  private static func shortage(
    _ bytes: UInt64, inodes: UInt64? = nil, into room: UInt64, most: UInt64? = nil, sharesHost: Bool = false
  ) -> String? {
    MoveRoom(
      content: .init(bytes: bytes << 20, inodes: inodes), room: .init(bytes: room << 20, inodes: most),
      sharesHost: sharesHost
    ).shortage
  }

  @Test func aReserveStaysFree() {
    #expect(Self.shortage(1000, into: 1066) == nil)
    #expect(
      Self.shortage(1000, into: 1065)
        == "the new vault is too small: 1000 MiB are in the one in use, 1066 MiB are needed with a reserve, and it takes"
        + " 1065 MiB")
    #expect(Self.shortage(0, into: 16) == nil)
    #expect(Self.shortage(0, into: 15) != nil)
  }

  @Test func theHostsOwnDiskKeepsMore() {
    #expect(Self.shortage(1000, into: 1113, sharesHost: true) != nil)
    #expect(Self.shortage(1000, into: 1114, sharesHost: true) == nil)
  }

  @Test func filesAreCountedWhereTheirNumberIsLimited() {
    #expect(Self.shortage(1, inodes: 1000, into: 100, most: 1050) == nil)
    #expect(
      Self.shortage(1, inodes: 1000, into: 100, most: 1049)
        == "the new vault takes too few files: 1000 files and directories are in the one in use, 1050 are needed with a"
        + " reserve, and it takes 1049")
    #expect(Self.shortage(1, inodes: 1000, into: 100) == nil)
    #expect(Self.shortage(1, into: 100, most: 10) == nil)
  }
}
