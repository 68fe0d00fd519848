import CCryptsetup
import CLinux
import Glibc
import Linux

/// One of the two copies of a LUKS2 header.
public struct HeaderCopy: Equatable, Sendable {
  /// Where it begins, bytes.
  public var offset: UInt64
  /// Grows by one with each change; nil when there is no header at that place.
  public var sequence: UInt64?
  /// Whether libcryptsetup takes it alone.
  public var isIntact: Bool
}

/// Looks at each copy of a LUKS2 header by itself, and writes nothing.
public enum HeaderCopies {
  private static let primary = Array("LUKS".utf8) + [0xBA, 0xBE]
  private static let secondary = Array("SKUL".utf8) + [0xBA, 0xBE]
  /// Sizes that a copy may have, bytes (LUKS2 on-disk format, 2.1).
  private static let sizes: [UInt64] = [
    0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000,
  ]

  /// Call after `LUKSDevice.preventHeaderRepair()`.
  /// - Returns: nil when there is no LUKS2 header, or it cannot be read.
  public static func look(at path: String) -> [HeaderCopy]? {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let first = bytes(descriptor, at: 0, count: 32)
    let size: UInt64
    if starts(first, primary), number(first[8..<16]) >= 0x4000, sizes.contains(number(first[8..<16])) {
      guard first[7] == 2 else { return nil }
      size = number(first[8..<16])
    } else if let found = sizes.first(where: { starts(bytes(descriptor, at: $0, count: 8), secondary) }) {
      size = found
    } else {
      return nil
    }
    let whole = bytes(descriptor, at: 0, count: Int(size) * 2)
    guard whole.count == Int(size) * 2 else { return nil }
    var end = stat()
    let length = fstat(descriptor, &end) == 0 ? UInt64(lseek(descriptor, 0, SEEK_END)) : size * 2
    return [0, 1].map { index in
      let range = Int(size) * index..<Int(size) * (index + 1)
      let isThere = starts(Array(whole[range].prefix(8)), index == 0 ? primary : secondary)
      return HeaderCopy(
        offset: UInt64(range.lowerBound),
        sequence: isThere ? number(whole[(range.lowerBound + 16)..<(range.lowerBound + 24)]) : nil,
        isIntact: isThere && isAccepted(whole, alone: range, length: length))
    }
  }

  /// Gives the library a device on which only this copy is.
  private static func isAccepted(_ whole: [UInt8], alone range: Range<Int>, length: UInt64) -> Bool {
    isAccepted(Array(whole[range]), at: range.lowerBound, length: length)
  }

  /// Whether the library takes one copy alone.
  /// - Parameter length: bytes of the device that it would be on.
  public static func isAccepted(_ copy: [UInt8], at offset: Int = 0, length: UInt64) -> Bool {
    let memory = mb_memfd_create("header")
    guard memory >= 0 else { return false }
    defer { close(memory) }
    guard ftruncate(memory, off_t(length)) == 0, lseek(memory, off_t(offset), SEEK_SET) >= 0,
      writeAll(copy, to: memory)
    else { return false }
    let log = LibraryLog()
    var handle: OpaquePointer?
    guard crypt_init(&handle, "/proc/self/fd/\(memory)") == 0, let handle else { return false }
    log.attach(to: handle)
    defer {
      crypt_set_log_callback(handle, nil, nil)
      crypt_free(handle)
    }
    return crypt_load(handle, CRYPT_LUKS2, nil) == 0
  }

  private static func bytes(_ descriptor: Int32, at offset: UInt64, count: Int) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = buffer.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress! + done, count - done, off_t(offset) + off_t(done))
      }
      if got < 0 && errno == EINTR { continue }
      if got <= 0 { break }
      done += got
    }
    return Array(buffer.prefix(done))
  }

  private static func starts(_ bytes: [UInt8], _ magic: [UInt8]) -> Bool { bytes.starts(with: magic) }

  private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
