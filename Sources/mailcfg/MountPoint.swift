import CLinux
import Glibc

/// Whether something is mounted on that very path, by `/proc/self/mountinfo` (proc(5)). Without `/proc` nothing is.
func isMountPoint(_ path: String) -> Bool {
  guard let table = contents(of: "/proc/self/mountinfo", limit: 16 << 20) else { return false }
  let wanted = Array(path.utf8)
  for line in table.split(separator: UInt8(ascii: "\n")) {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
    if fields.count > 5 && unescaped(fields[4]).elementsEqual(wanted) { return true }
  }
  return false
}

/// `\040` and its like, as the kernel writes space, tab, newline and backslash.
private func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
  var bytes: [UInt8] = []
  var rest = field
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "\\"), rest.count >= 3, rest.prefix(3).allSatisfy({ (0x30...0x37).contains($0) }) {
      bytes.append(UInt8(truncatingIfNeeded: rest.prefix(3).reduce(0) { $0 * 8 + Int($1 - 0x30) }))
      rest = rest.dropFirst(3)
    } else {
      bytes.append(byte)
    }
  }
  return bytes
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
