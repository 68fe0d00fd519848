import CLinux
import Glibc
import Linux

/// Why there is no protected memory for a secret, or no more of it.
public enum SecretMemoryError: Error, Equatable, Sendable, CustomStringConvertible {
  /// mmap(2) failed, with this errno.
  case cannotMap(Int32)
  /// mlock(2) failed with this errno, also after raising `RLIMIT_MEMLOCK`: the secret could reach the swap.
  case cannotLock(Int32)
  /// madvise(`MADV_DONTDUMP`) failed with this errno: the secret could reach a core dump.
  case cannotExcludeFromDumps(Int32)
  /// More bytes than the capacity given at creation.
  case full(capacity: Int)

  public var description: String {
    switch self {
    case .cannotMap(let code): "cannot map memory for the passphrase: \(errnoText(code))"
    case .cannotLock(let code): "cannot lock memory for the passphrase: \(errnoText(code))"
    case .cannotExcludeFromDumps(let code): "cannot keep the passphrase out of core dumps: \(errnoText(code))"
    case .full(let capacity): "more than \(capacity) bytes"
    }
  }
}

/// Secret bytes in pages of their own: locked into memory, left out of core dumps, wiped when the value ends.
///
/// The capacity is fixed, because growing would leave a copy behind. `exit(3)` skips `deinit`: the kernel then clears
/// the pages before anyone else gets them.
public struct SecretBytes: ~Copyable, @unchecked Sendable {
  // @unchecked: the pointer is owned by this value alone and never handed out beyond a closure.
  private let base: UnsafeMutableRawPointer
  private let mappedLength: Int
  /// The most bytes it can hold.
  public let capacity: Int
  /// The bytes it holds.
  public private(set) var count = 0

  /// Memory for at most `capacity` bytes, which is rounded up to whole pages only inside.
  public init(capacity: Int) throws(SecretMemoryError) {
    precondition(capacity > 0)
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let length = (capacity + page - 1) / page * page
    guard
      let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != UnsafeMutableRawPointer(bitPattern: -1)
    else {
      throw .cannotMap(errno)
    }
    if let error = Self.protect(base, length) {
      munmap(base, length)
      throw error
    }
    self.base = base
    mappedLength = length
    self.capacity = capacity
  }

  deinit {
    explicit_bzero(base, mappedLength)
    munmap(base, mappedLength)
  }

  public var isEmpty: Bool { count == 0 }

  /// Whether the last byte is a CR: a refused passphrase that ends so probably comes from a file with DOS line ends.
  public var endsWithCarriageReturn: Bool {
    count > 0 && base.load(fromByteOffset: count - 1, as: UInt8.self) == 0x0D
  }

  public mutating func append(_ byte: UInt8) throws(SecretMemoryError) {
    guard count < capacity else { throw .full(capacity: capacity) }
    base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  public mutating func append(contentsOf other: borrowing SecretBytes) throws(SecretMemoryError) {
    guard other.count <= capacity - count else { throw .full(capacity: capacity) }
    (base + count).copyMemory(from: other.base, byteCount: other.count)
    count += other.count
  }

  /// Lets `body` write into the memory behind the bytes held so far; it returns how many it wrote.
  public mutating func appendInPlace<E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) {
    let written = try body(.init(start: base + count, count: capacity - count))
    precondition(written >= 0 && written <= capacity - count)
    count += written
  }

  /// Drops and wipes the last `number` bytes, or all when there are fewer.
  public mutating func removeLast(_ number: Int = 1) {
    let dropped = min(max(number, 0), count)
    count -= dropped
    explicit_bzero(base + count, dropped)
  }

  public borrowing func isSame(as other: borrowing SecretBytes) -> Bool {
    count == other.count && memcmp(base, other.base, count) == 0
  }

  /// Lends the bytes for the duration of `body`; a copy made there is the caller's to wipe.
  public borrowing func withUnsafeBytes<R: ~Copyable, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try body(.init(start: base, count: count))
  }

  private static func protect(_ base: UnsafeMutableRawPointer, _ length: Int) -> SecretMemoryError? {
    if mlock(base, length) != 0 {
      let code = errno
      guard raiseLockLimit(), mlock(base, length) == 0 else { return .cannotLock(code) }
    }
    guard mb_madvise_dontdump(base, length) == 0 else { return .cannotExcludeFromDumps(errno) }
    return nil
  }

  /// Root may lift the limit altogether, others as far as their hard limit.
  private static func raiseLockLimit() -> Bool {
    let unlimited = UInt64.max  // RLIM_INFINITY
    if mb_setrlimit(mb_rlimit_memlock, unlimited, unlimited) == 0 { return true }
    var soft: UInt64 = 0
    var hard: UInt64 = 0
    guard mb_getrlimit(mb_rlimit_memlock, &soft, &hard) == 0, soft < hard else { return false }
    return mb_setrlimit(mb_rlimit_memlock, hard, hard) == 0
  }
}
