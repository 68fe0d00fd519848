import CLinux
import Glibc
import MailbootCore

/// Whether something is mounted on that very path, by `/proc/self/mountinfo` (proc(5)). Without `/proc` nothing is.
func isMountPoint(_ path: String) -> Bool {
  guard let table = contents(of: "/proc/self/mountinfo", limit: 16 << 20) else { return false }
  for line in table.split(separator: UInt8(ascii: "\n")) {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
    if fields.count > 5 && unescaped(fields[4]).utf8.elementsEqual(path.utf8) { return true }
  }
  return false
}

/// A file's bytes; nil, with errno, when it cannot be read or has more than `limit` of them (EFBIG).
func contents(of path: String, limit: Int) -> [UInt8]? {
  let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  return contents(of: descriptor, limit: limit)
}

func contents(of descriptor: Int32, limit: Int) -> [UInt8]? {
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { return nil }
    if count == 0 { return bytes }
    guard bytes.count + count <= limit else {
      errno = EFBIG
      return nil
    }
    bytes += chunk[..<count]
  }
}
