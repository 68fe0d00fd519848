import Glibc
import Linux

/// The users and groups of a host: of this one as all its sources know them, of another one as its files have them.
struct HostUsers {
  let root: HostRoot

  func number(_ user: String) -> uid_t? {
    if let number = uid_t(user) { return number }
    return root.isHere ? getpwnam(user)?.pointee.pw_uid : entry(user, in: "/etc/passwd").flatMap { uid_t($0[2]) }
  }

  func groupNumber(_ group: String) -> gid_t? {
    if let number = gid_t(group) { return number }
    return root.isHere ? getgrnam(group)?.pointee.gr_gid : entry(group, in: "/etc/group").flatMap { gid_t($0[2]) }
  }

  /// The name, else the number as a text.
  func name(_ user: uid_t) -> String {
    root.isHere ? userName(user) : name(of: user, in: "/etc/passwd")
  }

  func groupName(_ group: gid_t) -> String {
    root.isHere ? Linux.groupName(group) : name(of: group, in: "/etc/group")
  }

  private func rows(_ file: String) -> [[Substring]] {
    (readSmallText(root.path(file)) ?? "").split(separator: "\n")
      .map { $0.split(separator: ":", omittingEmptySubsequences: false) }.filter { $0.count >= 3 }
  }

  private func entry(_ name: String, in file: String) -> [Substring]? { rows(file).first { $0[0] == name } }

  private func name(of number: UInt32, in file: String) -> String {
    rows(file).first { $0[2] == String(number) }.map { String($0[0]) } ?? String(number)
  }
}
