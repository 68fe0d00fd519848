import CLinux
import Glibc

/// Why somebody without privilege could put something else at a path; nil when nobody can.
///
/// Every directory and every symbolic link on the way must belong to root (or to whoever runs this) and be writable by nobody else.
/// A sticky directory such as `/tmp` may be on the way: what root owns in there nobody else can replace.
/// - Parameter path: absolute.
public func untrustedReason(_ path: String) -> String? {
  // The kernel's own limit for symbolic links on one way.
  var links = 0
  var pending = Array(path.split(separator: "/").map(String.init).reversed())
  var walked = ""
  if let reason = untrustedReason(of: "/", isLast: pending.isEmpty) { return reason }
  while let name = pending.popLast() {
    if name == "." { continue }
    if name == ".." {
      walked = String(walked[..<(walked.lastIndex(of: "/") ?? walked.startIndex)])
      continue
    }
    let here = walked + "/" + name
    if let reason = untrustedReason(of: here, isLast: pending.isEmpty) { return reason }
    guard let target = linkTarget(here) else {
      walked = here
      continue
    }
    links += 1
    if links > 40 { return "\(path) has too many symbolic links" }
    if target.hasPrefix("/") { walked = "" }
    pending += target.split(separator: "/").map(String.init).reversed()
  }
  return nil
}

/// Looks at the entry itself, not at what a link points to.
private func untrustedReason(of path: String, isLast: Bool) -> String? {
  var status = stat()
  guard lstat(path, &status) == 0 else { return "\(path): \(errnoText())" }
  guard status.st_uid == 0 || status.st_uid == geteuid() else { return "\(path) does not belong to root" }
  let kind = status.st_mode & S_IFMT
  // A link's own mode means nothing.
  if kind == S_IFLNK || status.st_mode & 0o022 == 0 { return nil }
  if kind == S_IFDIR, !isLast, status.st_mode & S_ISVTX != 0 { return nil }
  return "\(path) is writable by others than its owner"
}

private func linkTarget(_ path: String) -> String? {
  var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = readlink(path, &bytes, bytes.count)
  guard count > 0 else { return nil }
  return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
