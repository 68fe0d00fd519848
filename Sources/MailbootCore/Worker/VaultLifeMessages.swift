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
  /// Whatever memory there is now.
  public var cost: KeyDerivationCost
  /// Each sector gets a checksum, for which the whole device is written once: under this name below `/dev/mapper`. Nil: none.
  public var integrityMapping: String?

  public init(device: String, label: String, cost: KeyDerivationCost, integrityMapping: String? = nil) {
    self.device = device
    self.label = label
    self.cost = cost
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

public struct KeyTableRequest: Codable, Sendable {
  public var device: String
  public var header: String?
  public var memoryLimitKiB: Int?
  /// Whether the key derivation of each keyslot is made, to see how long it takes.
  public var measures: Bool

  public init(device: String, header: String?, memoryLimitKiB: Int? = nil, measures: Bool = false) {
    self.device = device
    self.header = header
    self.memoryLimitKiB = memoryLimitKiB
    self.measures = measures
  }
}

public enum KeyTableReply: Codable, Equatable, Sendable {
  case table(KeyTable)
  case failed(VaultFailure)
}

/// For all changes that want an existing passphrase and a new one.
public struct KeyChangeRequest: Codable, Sendable {
  public var device: String
  public var header: String?
  public var memoryLimitKiB: Int?
  public var cost: KeyDerivationCost

  public init(device: String, header: String?, memoryLimitKiB: Int?, cost: KeyDerivationCost) {
    self.device = device
    self.header = header
    self.memoryLimitKiB = memoryLimitKiB
    self.cost = cost
  }
}

public enum KeyChangeReply: Codable, Equatable, Sendable {
  /// The new passphrase has this keyslot. `removed`: the old one's, which is gone; `cleared`: what an earlier run that was cut off had
  /// left; `wasThere`: the new one opened it before.
  case changed(keyslot: Int, removed: Int?, cleared: [Int], wasThere: Bool)
  /// Old and new passphrase are the same.
  case same(keyslot: Int)
  case failed(VaultFailure)
}

public struct RemoveKeyRequest: Codable, Sendable {
  public var device: String
  public var header: String?
  public var keyslot: Int

  public init(device: String, header: String?, keyslot: Int) {
    self.device = device
    self.header = header
    self.keyslot = keyslot
  }
}

public enum RemoveKeyReply: Codable, Equatable, Sendable {
  case removed(cleared: [Int])
  case failed(VaultFailure)
}

public struct BackupHeaderRequest: Codable, Sendable {
  public var device: String
  public var header: String?
  /// A file that is not there yet.
  public var file: String

  public init(device: String, header: String?, file: String) {
    self.device = device
    self.header = header
    self.file = file
  }
}

public struct CheckHeaderRequest: Codable, Sendable {
  /// The device, or a backup file.
  public var path: String

  public init(path: String) { self.path = path }
}

public struct RestoreHeaderRequest: Codable, Sendable {
  /// The backup.
  public var file: String
  /// Where it is put.
  public var path: String
  /// A new file for what is there now; nil: there is a copy of it.
  public var copy: String?
  /// What the backup was when it was looked at; nil: nobody has looked.
  public var sha256: String?

  public init(file: String, path: String, copy: String?, sha256: String? = nil) {
    self.sha256 = sha256
    self.file = file
    self.path = path
    self.copy = copy
  }
}

/// A header on a device or in a file.
public struct HeaderReport: Codable, Equatable, Sendable {
  public struct Copy: Codable, Equatable, Sendable {
    /// Bytes from the beginning.
    public var offset: Int
    /// Nil: it is sound.
    public var flaw: String?
    /// Counts the changes.
    public var sequence: UInt64?

    public init(offset: Int, flaw: String?, sequence: UInt64?) {
      self.offset = offset
      self.flaw = flaw
      self.sequence = sequence
    }
  }
  public var table: KeyTable
  public var copies: [Copy]
  /// Bytes that header and keyslots take.
  public var size: Int
  /// Bytes that there are.
  public var available: Int
  /// SHA-256 of the first `size` bytes, hexadecimal.
  public var sha256: String
  /// Of what says how the data is encrypted and with which key, whoever opens it.
  public var volume: String
  /// Whether a re-encryption has begun.
  public var isBeingRekeyed: Bool

  public init(
    table: KeyTable, copies: [Copy], size: Int, available: Int, sha256: String, volume: String, isBeingRekeyed: Bool
  ) {
    self.volume = volume
    self.isBeingRekeyed = isBeingRekeyed
    self.table = table
    self.copies = copies
    self.size = size
    self.available = available
    self.sha256 = sha256
  }

  /// What is wrong with it; empty: nothing.
  public var flaws: [String] {
    let names = ["the first copy", "the second copy"]
    var flaws = zip(names, copies).compactMap { name, copy in copy.flaw.map { "\(name): \($0)" } }
    if flaws.isEmpty, Set(copies.map(\.sequence)).count > 1 { flaws = ["the two copies are not of the same age"] }
    if available < size { flaws.append("it is cut off: \(available) of \(size) bytes") }
    return flaws
  }
}

public enum HeaderReply: Codable, Equatable, Sendable {
  case header(HeaderReport)
  case failed(VaultFailure)
}
