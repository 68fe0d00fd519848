import CLinux
import Glibc
import Linux

/// Standard output, collected and written once the database is no longer read: a reader that does not go on, such as a pager, would
/// have a list keep the database locked for writers. What is more than some megabytes waits in a file without a name.
final class Output {
  private var bytes: [UInt8] = []
  /// What the first write(2) that failed said; nothing more is written then.
  private var failure: Int32?
  private var file: Int32 = -1
  private var places: [String] = []
  private var limit = 8 << 20

  /// Beside the database it is as safe as there: in the vault.
  func mayWait(beside database: String) {
    let directory = parentDirectory(of: database)
    let other = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
    places = [directory, other]
  }

  func add(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    if bytes.count > limit { putAside() }
  }

  func add(_ byte: UInt8) { bytes.append(byte) }

  func endLine() { bytes.append(0x0A) }

  func line(_ text: String) {
    add(text)
    endLine()
  }

  /// Forgets all that has not been written.
  func forget() {
    bytes.removeAll(keepingCapacity: true)
    guard file >= 0 else { return }
    if ftruncate(file, 0) != 0 || lseek(file, 0, SEEK_SET) != 0 { failure = errno }
  }

  /// Writes it.
  func flush() throws(Failure) {
    defer { bytes.removeAll(keepingCapacity: true) }
    if file >= 0 { writeFile() }
    if failure == nil && !writeAll(bytes, to: 1) { failure = errno }
    if let failure { throw .output(errno: failure) }
  }

  private func putAside() {
    if file < 0 { file = places.lazy.map(Self.nameless).first { $0 >= 0 } ?? -1 }
    guard file >= 0 else {
      limit = .max
      return
    }
    if failure == nil && !writeAll(bytes, to: file) { failure = errno }
    bytes.removeAll(keepingCapacity: true)
  }

  private func writeFile() {
    defer {
      close(file)
      file = -1
    }
    guard lseek(file, 0, SEEK_SET) == 0 else {
      failure = errno
      return
    }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while failure == nil {
      let count = chunk.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
      if count == 0 { return }
      if count < 0 ? errno != EINTR : !writeAll(chunk[..<count], to: 1) { failure = errno }
    }
  }

  /// A file for this process alone; negative when none can be made there.
  private static func nameless(in directory: String) -> Int32 {
    guard let (descriptor, path) = temporaryFile(".mailcfg-", in: directory) else { return -1 }
    unlink(path)
    return descriptor
  }
}
