import MailbootCore
import Testing

@testable import mailcfg

struct MountPointTests {
  private func isMounted(_ table: String) -> Bool { isMountPoint("/vault", in: Array(table.utf8)) }

  /// Nothing is mounted there yet, and whoever looks into it waits.
  @Test func anAutomountPointAloneIsNoMount() {
    let automount = "36 25 0:31 / /vault rw shared:1 - autofs systemd-1 rw,fd=44,direct\n"
    let vault = "37 36 254:0 / /vault rw,nosuid shared:2 - ext4 /dev/mapper/vault-blk rw\n"
    #expect(!isMounted(automount))
    #expect(isMounted(automount + vault) && isMounted(vault))
    #expect(!isMounted("37 36 254:0 / /vault2 rw - ext4 /dev/x rw\n") && !isMounted(""))
  }
}
