import Glibc
import Linux

/// Writes a file that is not there yet, whole or not at all, readable by all.
func writeNew(_ path: String, _ bytes: [UInt8], temporary: String) throws(SystemError) {
  try replaceFile(temporary, with: bytes, temporary: temporary + ".new", durable: true)
  defer { unlink(temporary) }
  // Unlike rename(2), it does not replace what somebody else has put there meanwhile.
  guard link(temporary, path) == 0 else { throw SystemError("\(path): \(errnoText())", code: errno) }
}
