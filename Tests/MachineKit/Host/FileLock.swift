import Glibc

/// An `flock(2)` on a file, held until the last reference goes; the kernel drops it when the process dies.
final class FileLock: Sendable {
  enum Mode: Int32 {
    case shared = 1
    case exclusive = 2
  }

  private let descriptor: Descriptor

  private init(_ descriptor: Descriptor) {
    self.descriptor = descriptor
  }

  /// Waits for the lock. Waiters are served in the order in which they came.
  static func waiting(_ path: String, _ mode: Mode) throws -> FileLock {
    let descriptor = try Descriptor(path: path, flags: O_RDWR | O_CREAT)
    while flock(descriptor.number, mode.rawValue) != 0 {
      guard errno == EINTR else { throw MachineError.system("flock \(path)", code: errno) }
    }
    return FileLock(descriptor)
  }

  /// Takes the lock if it is free.
  /// - Returns: `nil` when somebody else has it.
  static func ifFree(_ path: String, _ mode: Mode) throws -> FileLock? {
    let descriptor = try Descriptor(path: path, flags: O_RDWR | O_CREAT)
    if flock(descriptor.number, mode.rawValue | LOCK_NB) == 0 { return FileLock(descriptor) }
    guard errno == EWOULDBLOCK else { throw MachineError.system("flock \(path)", code: errno) }
    return nil
  }
}
