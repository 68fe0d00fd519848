import Linux
import MailbootCore

/// Whether something is mounted on that very path, by `/proc/self/mountinfo` (proc(5)). Without `/proc` nothing is.
func isMountPoint(_ path: String) -> Bool {
  guard let table = readSmallFile("/proc/self/mountinfo", limit: 16 << 20) else { return false }
  return isMountPoint(path, in: table)
}
