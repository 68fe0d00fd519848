import Glibc

/// An open file descriptor with one owner, closed with it.
public struct OwnedDescriptor: ~Copyable, Sendable {
  /// Valid as long as this value.
  public let rawValue: Int32

  /// Takes over an open descriptor.
  public init(owning descriptor: Int32) { rawValue = descriptor }

  deinit { close(rawValue) }

  /// Hands the descriptor to the caller, who closes it.
  public consuming func release() -> Int32 {
    let descriptor = rawValue
    discard self
    return descriptor
  }
}
