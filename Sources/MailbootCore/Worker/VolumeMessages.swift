// What `mailboot vault info|check|grow|trim|rekey` and `mailboot-worker` say to each other.

// MARK: What a header says, its size, its key

/// What a LUKS header says without any secret, in full.
public struct LUKSFacts: Codable, Equatable, Sendable {
  public enum Reencryption: String, Codable, Sendable {
    case none
    /// Stopped at a safe point.
    case begun
    /// Cut: what was being written is put right when it goes on, or when the vault is opened.
    case cut
    case unknown
  }
  /// One copy of a LUKS2 header.
  public struct Copy: Codable, Equatable, Sendable {
    /// Bytes from the beginning.
    public var offset: UInt64
    /// Grows by one with each change; nil: there is no header there.
    public var sequence: UInt64?
    public var isIntact: Bool

    public init(offset: UInt64, sequence: UInt64?, isIntact: Bool) {
      self.offset = offset
      self.sequence = sequence
      self.isIntact = isIntact
    }
  }
  public var version: Int
  public var uuid: String
  public var label: String?
  /// Such as `aes-xts-plain64`.
  public var cipher: String
  public var keyBits: Int
  public var sectorSize: Int
  /// Such as `hmac(sha256)`.
  public var integrity: String?
  /// Where the data begins, bytes.
  public var dataOffset: UInt64
  /// That hold the volume's key, and that hold some other.
  public var keyslots: Int
  public var unboundKeyslots: Int
  public var hasTokens: Bool
  public var allowsDiscards: Bool
  /// What it demands of whoever opens it.
  public var requirements: [String]
  public var reencryption: Reencryption
  /// LUKS2: both copies. Nil: LUKS1 has one, and it could be read.
  public var copies: [Copy]?

  public init(
    version: Int, uuid: String, label: String?, cipher: String, keyBits: Int, sectorSize: Int, integrity: String?,
    dataOffset: UInt64, keyslots: Int, unboundKeyslots: Int, hasTokens: Bool, allowsDiscards: Bool,
    requirements: [String], reencryption: Reencryption, copies: [Copy]?
  ) {
    self.version = version
    self.uuid = uuid
    self.label = label
    self.cipher = cipher
    self.keyBits = keyBits
    self.sectorSize = sectorSize
    self.integrity = integrity
    self.dataOffset = dataOffset
    self.keyslots = keyslots
    self.unboundKeyslots = unboundKeyslots
    self.hasTokens = hasTokens
    self.allowsDiscards = allowsDiscards
    self.requirements = requirements
    self.reencryption = reencryption
    self.copies = copies
  }

  /// Copies that are gone or damaged, in words.
  public var copyTrouble: [String] {
    guard let copies else { return [] }
    var words = copies.filter { !$0.isIntact }.map { copy in
      "the \(copy.offset == 0 ? "first" : "second") copy of the header is "
        + (copy.sequence == nil ? "gone" : "damaged")
    }
    let sequences = copies.compactMap { $0.isIntact ? $0.sequence : nil }
    if sequences.count == 2, sequences[0] != sequences[1] {
      words.append("the copies of the header differ (\(sequences[0]) and \(sequences[1])): a change was cut")
    }
    return words
  }
}

public enum FactsReply: Codable, Equatable, Sendable {
  case facts(LUKSFacts)
  case failed(VaultFailure)
}

/// For what is done to the volume with one passphrase.
public struct VolumeRequest: Codable, Sendable {
  /// Resolved path of a block device or regular file.
  public var device: String
  public var header: String?
  /// The open mapping; nil: it is closed.
  public var mapping: String?
  /// Memory the key derivation may take, KiB. Nil: no limit.
  public var memoryLimitKiB: Int?
  /// Of `discards` alone.
  public var allow: Bool?

  public init(device: String, header: String?, mapping: String?, memoryLimitKiB: Int?, allow: Bool? = nil) {
    self.device = device
    self.header = header
    self.mapping = mapping
    self.memoryLimitKiB = memoryLimitKiB
    self.allow = allow
  }
}

public enum VolumeReply: Codable, Equatable, Sendable {
  case done
  /// Of `rekey`: at a safe point.
  case stopped
  case failed(VaultFailure)
}

/// A line of `rekey` on the worker's standard error while it works.
public struct RekeyLine: Equatable, Sendable {
  /// Bytes that have the new key, of all.
  public var done: UInt64
  public var all: UInt64

  public init(done: UInt64, all: UInt64) {
    self.done = done
    self.all = all
  }

  public init?(_ line: some StringProtocol) {
    let words = line.split(separator: " ")
    guard words.count == 3, words[0] == "rekeyed", let done = UInt64(words[1]), let all = UInt64(words[2]) else {
      return nil
    }
    self.init(done: done, all: all)
  }

  public var text: String { "rekeyed \(done) \(all)" }
}
