import CLinux
import Glibc

/// A user's name, else the number.
public func userName(_ uid: UInt32) -> String {
  guard let entry = getpwuid(uid) else { return String(uid) }
  return String(cString: entry.pointee.pw_name)
}

/// The login that a process descends from, which `sudo` and `su` don't change; nil when there is none.
public func loginUser(of pid: UInt32) -> String? {
  guard let uid = readAttribute("/proc/\(pid)/loginuid").flatMap({ UInt32($0) }), uid != .max else { return nil }
  return userName(uid)
}

/// Whether a user has a group as primary or further group.
public func isMember(_ uid: UInt32, of group: String) -> Bool {
  guard let entry = getgrnam(group) else { return false }
  let wanted = entry.pointee.gr_gid
  guard let user = getpwuid(uid) else { return false }
  var count: Int32 = 256
  var groups = [gid_t](repeating: 0, count: Int(count))
  guard getgrouplist(user.pointee.pw_name, user.pointee.pw_gid, &groups, &count) >= 0 else { return false }
  return groups.prefix(Int(count)).contains(wanted)
}
