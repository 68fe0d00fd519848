import Glibc
import Linux

/// Standard output, collected and written once the database is no longer read: a reader that does not go on, such as a pager, would
/// have a list keep the database locked for writers. 100,000 users are some 15 MB.
final class Output {
  private var bytes: [UInt8] = []
  /// What the first write(2) that failed said; nothing more is written then.
  private var failure: Int32?

  func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

  func add(_ byte: UInt8) { bytes.append(byte) }

  func endLine() { bytes.append(0x0A) }

  func line(_ text: String) {
    add(text)
    endLine()
  }

  /// Writes it.
  func flush() throws(Failure) {
    defer { bytes.removeAll(keepingCapacity: true) }
    if failure == nil && !writeAll(bytes, to: 1) { failure = errno }
    if let failure { throw .output(errno: failure) }
  }
}
