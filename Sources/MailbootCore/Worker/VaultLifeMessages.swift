// What `mailboot vault` and `mailboot-worker` say to each other.

public struct TestKeyRequest: Codable, Sendable {
  /// Resolved path of a block device or regular file.
  public var device: String
  /// Path of a detached header.
  public var header: String?
  /// Memory the key derivation may take, KiB. Nil: no limit.
  public var memoryLimitKiB: Int?

  public init(device: String, header: String?, memoryLimitKiB: Int?) {
    self.device = device
    self.header = header
    self.memoryLimitKiB = memoryLimitKiB
  }
}

public enum TestKeyReply: Codable, Equatable, Sendable {
  /// The keyslot that it opens, and how long that took, seconds.
  case opens(keyslot: Int, seconds: Double)
  case failed(VaultFailure)
}
