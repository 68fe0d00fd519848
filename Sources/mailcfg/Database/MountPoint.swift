import Linux
import MailbootCore

/// Whether something is mounted on that very path, by `/proc/self/mountinfo` (proc(5)). Without `/proc` nothing is.
func isMountPoint(_ path: String) -> Bool {
  guard let table = readSmallFile("/proc/self/mountinfo", limit: 16 << 20) else { return false }
  return isMountPoint(path, in: table)
}

/// An automount point alone is nothing yet, and whoever looks into it waits for the mount.
func isMountPoint(_ path: String, in table: [UInt8]) -> Bool {
  for line in table.split(separator: UInt8(ascii: "\n")).reversed() {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
    guard fields.count > 5, unescaped(fields[4]).utf8.elementsEqual(path.utf8) else { continue }
    let words = fields[5].split(separator: UInt8(ascii: " "))
    let dash = words.firstIndex { $0.elementsEqual("-".utf8) }
    return !(dash.map { words[words.index(after: $0)...].first?.elementsEqual("autofs".utf8) ?? false } ?? false)
  }
  return false
}
