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

/// What the LUKS2 header says of how far a vault's making has come, in its field `subsystem`.
public enum VaultMark {
  /// It is being made: nothing is in it yet.
  public static let unfinished = "mailboot:unfinished"
  private static let whole = "mailboot:"

  /// It was made by us, and is whole, with this file system.
  public static func whole(filesystem: String) -> String { whole + filesystem }

  /// The file system of one that is whole; nil: it is not, or not ours.
  public static func filesystem(of mark: String?) -> String? {
    guard let mark, mark != unfinished, mark.hasPrefix(whole) else { return nil }
    return String(mark.dropFirst(whole.count))
  }
}

/// Makes a LUKS2 header on it: what was there is lost. The one secret opens it.
public struct FormatRequest: Codable, Sendable {
  /// Path of a block device or regular file.
  public var device: String
  public var label: String
  /// What the key derivation may take, KiB, whatever there is now.
  public var derivationMemoryKiB: Int
  /// Seconds that it takes on this machine.
  public var derivationSeconds: Double
  /// Each sector gets a checksum, for which the whole device is written once: under this name below `/dev/mapper`. Nil: none.
  public var integrityMapping: String?

  public init(
    device: String, label: String, derivationMemoryKiB: Int, derivationSeconds: Double = 2,
    integrityMapping: String? = nil
  ) {
    self.device = device
    self.label = label
    self.derivationMemoryKiB = derivationMemoryKiB
    self.derivationSeconds = derivationSeconds
    self.integrityMapping = integrityMapping
  }
}

public enum FormatReply: Codable, Equatable, Sendable {
  case formatted(uuid: String)
  case failed(VaultFailure)
}

/// Marks a vault that was being made as whole.
public struct MarkRequest: Codable, Sendable {
  public var device: String
  public var label: String
  public var filesystem: String

  public init(device: String, label: String, filesystem: String) {
    self.device = device
    self.label = label
    self.filesystem = filesystem
  }
}

public enum MarkReply: Codable, Equatable, Sendable {
  case marked
  case failed(VaultFailure)
}
