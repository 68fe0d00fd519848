import Linux
import MailbootCore

/// Whether something is mounted on that very path, by `/proc/self/mountinfo` (proc(5)). Without `/proc` nothing is.
func isMountPoint(_ path: String) -> Bool {
  guard let table = readSmallFile("/proc/self/mountinfo", limit: 16 << 20) else { return false }
  for line in table.split(separator: UInt8(ascii: "\n")) {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
    if fields.count > 5 && unescaped(fields[4]).utf8.elementsEqual(path.utf8) { return true }
  }
  return false
}
