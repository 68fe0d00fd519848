import CCryptsetup
import CLinux
import COpenSSL
import Glibc
import Linux

/// The two copies of a LUKS2 header, or the one of LUKS1, each looked at for itself: the library is content with one.
public struct HeaderCopies: Equatable, Sendable {
  public struct Copy: Equatable, Sendable {
    /// Where it begins, bytes.
    public var offset: Int
    /// Nil: it is sound.
    public var flaw: String?
    /// Counts the changes; of two sound ones the higher counts. Nil when it cannot be read.
    public var sequence: UInt64?
  }

  /// 1 or 2; 0: no header is to be seen.
  public var version: Int
  /// Of LUKS1 this one says nothing of whether it is sound: it has no checksum.
  public var copies: [Copy]

  /// Whether all copies are sound and the same.
  public var isSound: Bool {
    !copies.isEmpty && copies.allSatisfy { $0.flaw == nil } && Set(copies.map(\.sequence)).count == 1
  }

  /// Of the sound copies of LUKS2 the newest; nil: there is none.
  public var newest: Copy? {
    version == 2 ? copies.filter { $0.flaw == nil }.max { ($0.sequence ?? 0) < ($1.sequence ?? 0) } : nil
  }

  /// Reads a device or a backup file, and writes nothing.
  public init(of path: String) throws(LUKSError) {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw LUKSError(.other, "cannot read \(path): \(errnoText())") }
    defer { close(descriptor) }
    let start = try Self.read(descriptor, at: 0, count: 4096, path)
    if start.starts(with: HeaderMagic.primary), Self.number(start, 6, 2) == 1 {
      version = 1
      copies = [Copy(offset: 0, flaw: nil, sequence: nil)]
      return
    }
    let first = start.starts(with: HeaderMagic.primary) ? start : nil
    let named = first.map { Int(Self.number($0, 8, 8)) }
    var offset = HeaderMagic.secondaryOffsets.first { $0 == named }
    if offset == nil {
      for size in HeaderMagic.secondaryOffsets
      where try Self.read(descriptor, at: size, count: 6, path) == HeaderMagic.secondary {
        offset = size
        break
      }
    }
    guard let offset else {
      version = 0
      copies = []
      return
    }
    version = 2
    copies = [
      try Self.look(descriptor, at: 0, size: offset, HeaderMagic.primary, path),
      try Self.look(descriptor, at: offset, size: offset, HeaderMagic.secondary, path),
    ]
  }

  private static func look(
    _ descriptor: Int32, at offset: Int, size: Int, _ magic: [UInt8], _ path: String
  ) throws(LUKSError) -> Copy {
    var bytes = try read(descriptor, at: offset, count: size, path)
    guard bytes.starts(with: magic) else { return Copy(offset: offset, flaw: "it is not there") }
    guard bytes.count == size else { return Copy(offset: offset, flaw: "it is cut off") }
    guard number(bytes, 8, 8) == UInt64(size), number(bytes, 256, 8) == UInt64(offset) else {
      return Copy(offset: offset, flaw: "it belongs elsewhere")
    }
    // Binary header, LUKS2 specification 2.1: algorithm at 72, checksum of 64 bytes at 448, counted as zeroes.
    let algorithm = String(decoding: bytes[72..<104].prefix { $0 != 0 }, as: UTF8.self)
    let stored = Array(bytes[448..<512])
    bytes.replaceSubrange(448..<512, with: [UInt8](repeating: 0, count: 64))
    guard let sum = digest(bytes, algorithm) else {
      return Copy(offset: offset, flaw: "its checksum is of an unknown kind, \(algorithm)")
    }
    let isSound = Array(stored.prefix(sum.count)) == sum
    return Copy(offset: offset, flaw: isSound ? nil : "its checksum is wrong", sequence: number(bytes, 16, 8))
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

  private static func digest(_ bytes: [UInt8], _ algorithm: String) -> [UInt8]? {
    guard let kind = EVP_get_digestbyname(algorithm) else { return nil }
    var sum = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    guard EVP_Digest(bytes, bytes.count, &sum, &count, kind, nil) == 1 else { return nil }
    return Array(sum.prefix(Int(count)))
  }

  /// Big endian.
  private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
    bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Fewer at the end of the file.
  private static func read(
    _ descriptor: Int32, at offset: Int, count: Int, _ path: String
  ) throws(LUKSError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + done, count - done, offset + done) }
      if got == 0 { break }
      guard got > 0 || errno == EINTR else { throw LUKSError(.other, "cannot read \(path): \(errnoText())") }
      done += max(0, got)
    }
    buffer.removeLast(count - done)
    // What is too short for its fields has none.
    return buffer.count < 512 && count >= 512 ? [] : buffer
  }
}

/// SHA-256 of a file's first bytes, in hexadecimal; nil when it cannot be read.
public func fileDigest(_ path: String, limit: Int = .max) -> String? {
  let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC, 0)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  let context = EVP_MD_CTX_new()
  defer { EVP_MD_CTX_free(context) }
  guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { return nil }
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  var left = limit
  while left > 0 {
    let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, min($0.count, left)) }
    if count == 0 { break }
    guard count > 0 else { return nil }
    EVP_DigestUpdate(context, chunk, count)
    left -= count
  }
  var sum = [UInt8](repeating: 0, count: 32)
  EVP_DigestFinal_ex(context, &sum, nil)
  return hexadecimal(sum)
}

/// SHA-256 of bytes, in hexadecimal.
public func digest(_ bytes: [UInt8]) -> String { hexadecimal(sha256(bytes)) }

/// SHA-256 of bytes.
public func sha256(_ bytes: [UInt8]) -> [UInt8] {
  var sum = [UInt8](repeating: 0, count: 32)
  EVP_Digest(bytes, bytes.count, &sum, nil, EVP_sha256(), nil)
  return sum
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
