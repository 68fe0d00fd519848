import CCryptsetup
import CLinux
import Glibc
import Linux

extension LUKSDevice {
  /// Writes the header with all keyslots into a new file that only its owner may read, and onto the disk.
  public func backUpHeader(to file: String) throws(LUKSError) {
    let result = crypt_header_backup(handle, nil, file)
    if result < 0 { throw LUKSError(.notSaved, "no backup was written to \(file): \(log.take(orTextOf: -result))") }
    try Self.sync(file)
  }

  /// Puts the header of a backup onto a device, whatever is there.
  public static func restoreHeader(of path: String, from file: String) throws(LUKSError) {
    let log = LibraryLog()
    var handle: OpaquePointer?
    let made = crypt_init(&handle, path)
    guard made >= 0, let handle else { throw LUKSError(.other, log.take(orTextOf: -made)) }
    defer {
      crypt_set_log_callback(handle, nil, nil)
      crypt_free(handle)
    }
    log.attach(to: handle)
    let result = crypt_header_restore(handle, nil, file)
    guard result >= 0 else {
      throw LUKSError(.notChanged, "the header was not restored: \(log.take(orTextOf: -result))")
    }
    try sync(path)
  }

  /// Copies the first bytes of a device or file, as they are, into a new file that only its owner may read. It has its name when it is
  /// whole and on the disk.
  public static func copyStart(of path: String, count: Int, to file: String) throws(LUKSError) {
    let source = mb_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard source >= 0 else { throw LUKSError(.other, "cannot read \(path): \(errnoText())") }
    defer { close(source) }
    let part = file + ".part"
    unlink(part)
    let target = mb_open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard target >= 0 else { throw LUKSError(.notSaved, "cannot write \(file): \(errnoText())") }
    defer { close(target) }
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    var left = count
    while left > 0 {
      let got = chunk.withUnsafeMutableBytes { read(source, $0.baseAddress, min($0.count, left)) }
      if got == 0 { break }
      guard got > 0, writeAll(chunk[..<got], to: target) else {
        let why = errnoText()
        unlink(part)
        throw LUKSError(.notSaved, "cannot copy it to \(file): \(why)")
      }
      left -= got
    }
    guard fsync(target) == 0, rename(part, file) == 0 else {
      defer { unlink(part) }
      throw LUKSError(.notSaved, "cannot write \(file): \(errnoText())")
    }
    try sync(parentDirectory(of: file))
  }

  private static func sync(_ path: String) throws(LUKSError) {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw LUKSError(.other, "\(path): \(errnoText())") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw LUKSError(.other, "\(path): \(errnoText())") }
  }
}
