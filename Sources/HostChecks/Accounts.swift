import CLinux
import Glibc
import Linux
import MailbootCore
import Text

/// A user of this machine, from the name service.
package struct UserAccount {
  package var name: String
  package var uid: uid_t
  package var gid: gid_t

  /// Nil when there is no such user.
  package init?(named name: String) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    let (uid, gid) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65536) { buffer in
      getpwnam_r(name, &entry, buffer.baseAddress!, buffer.count, &found)
      return (entry.pw_uid, entry.pw_gid)
    }
    guard found != nil else { return nil }
    self.name = name
    self.uid = uid
    self.gid = gid
  }

  /// As `chown` takes it: the user and its own group.
  var ownership: String { "\(shellWord(name)):\(shellWord(groupName(gid)))" }
}

/// Number of the group `name`; nil when there is no such group.
func groupNumber(_ name: String) -> gid_t? {
  var entry = group()
  var found: UnsafeMutablePointer<group>?
  let number = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65536) { buffer in
    getgrnam_r(name, &entry, buffer.baseAddress!, buffer.count, &found)
    return entry.gr_gid
  }
  return found == nil ? nil : number
}
