import CLinux
import Glibc

/// A user's name, else the number.
public func userName(_ uid: UInt32) -> String {
  var entry = passwd()
  var found: UnsafeMutablePointer<passwd>?
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65536) { buffer in
    getpwuid_r(uid, &entry, buffer.baseAddress!, buffer.count, &found)
    return found == nil ? String(uid) : String(cString: entry.pw_name)
  }
}

/// A group's name, else the number.
public func groupName(_ gid: UInt32) -> String {
  var entry = group()
  var found: UnsafeMutablePointer<group>?
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65536) { buffer in
    getgrgid_r(gid, &entry, buffer.baseAddress!, buffer.count, &found)
    return found == nil ? String(gid) : String(cString: entry.gr_name)
  }
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
