import CCryptsetup
import Glibc
import Linux
import SecretMemory

/// A keyslot that is in use, as the header describes it.
public struct KeyslotDescription: Sendable {
  public var number: Int
  /// Whether it holds the volume's key.
  public var isBound: Bool
  /// `normal`, `prefer` or `ignore`.
  public var priority: String
  /// Types of the tokens that use it.
  public var tokens: [String]
  /// Nil: it has none, as that of a re-encryption.
  public var derivation: Derivation?
  /// A change of it was cut off before its end.
  public var isUnfinished: Bool

  public struct Derivation: Sendable {
    /// `argon2id`, `argon2i`, `pbkdf2`.
    public var type: String
    public var hash: String
    /// 0 for PBKDF2.
    public var memoryKiB: Int
    public var iterations: Int
    public var threads: Int
  }
}

extension LUKSDevice {
  /// How many keyslots there can be.
  public var keyslotCapacity: Int { Int(max(0, crypt_keyslot_max(crypt_get_type(handle)))) }

  /// All that are in use, in their order.
  public var keyslots: [KeyslotDescription] {
    let unfinished = Set(marks.map(\.keyslot))
    return (0..<Int32(keyslotCapacity)).compactMap { slot in
      let status = crypt_keyslot_status(handle, slot)
      guard [CRYPT_SLOT_ACTIVE, CRYPT_SLOT_ACTIVE_LAST, CRYPT_SLOT_UNBOUND].contains(status) else { return nil }
      return KeyslotDescription(
        number: Int(slot), isBound: status != CRYPT_SLOT_UNBOUND, priority: priority(of: slot),
        tokens: tokens(of: slot).map(\.type), derivation: derivation(of: slot),
        isUnfinished: unfinished.contains(slot))
    }
  }

  /// How long the keyslot's key derivation takes here, seconds: it is made with a passphrase that opens nothing. Nil: it cannot be.
  public func measure(keyslot: Int) -> Double? {
    let nonsense = [CChar](repeating: 1, count: 8)
    let begun = monotonicSeconds()
    let result = crypt_activate_by_passphrase(handle, nil, Int32(keyslot), nonsense, nonsense.count, 0)
    _ = log.take(orTextOf: 0)
    return result == -EPERM ? monotonicSeconds() - begun : nil
  }

  /// Keyslots, digests and tokens as JSON, of LUKS2.
  public var metadata: String? {
    var json: UnsafePointer<CChar>?
    guard version == 2, crypt_dump_json(handle, &json, 0) == 0, let json else { return nil }
    return String(cString: json)
  }

  /// Bytes that a backup of the header has.
  public var headerSize: Int {
    if version == 2 {
      var metadata: UInt64 = 0
      var keyslots: UInt64 = 0
      guard crypt_get_metadata_size(handle, &metadata, &keyslots) == 0 else { return 0 }
      return Int(2 * metadata + keyslots)
    }
    return (0..<Int32(keyslotCapacity)).map { slot in
      var (offset, length): (UInt64, UInt64) = (0, 0)
      return crypt_keyslot_area(handle, slot, &offset, &length) == 0 ? Int(offset + length) : 0
    }.max() ?? 0
  }

  private func derivation(of slot: Int32) -> KeyslotDescription.Derivation? {
    var parameters = crypt_pbkdf_type()
    guard crypt_keyslot_get_pbkdf(handle, slot, &parameters) == 0, let type = parameters.type else { return nil }
    return KeyslotDescription.Derivation(
      type: String(cString: type), hash: parameters.hash.map { String(cString: $0) } ?? "",
      memoryKiB: Int(parameters.max_memory_kb), iterations: Int(parameters.iterations),
      threads: Int(parameters.parallel_threads))
  }

  private func priority(of slot: Int32) -> String {
    switch crypt_keyslot_get_priority(handle, slot) {
    case CRYPT_SLOT_PRIORITY_IGNORE: "ignore"
    case CRYPT_SLOT_PRIORITY_PREFER: "prefer"
    default: "normal"
    }
  }

  // MARK: Tokens

  /// Every token in the header.
  var allTokens: [(number: Int32, type: String)] {
    guard version == 2 else { return [] }
    return (0..<max(0, crypt_token_max(CRYPT_LUKS2))).compactMap { token in
      var type: UnsafePointer<CChar>?
      let status = crypt_token_status(handle, token, &type)
      guard status.rawValue > CRYPT_TOKEN_INACTIVE.rawValue, let type else { return nil }
      return (token, String(cString: type))
    }
  }

  /// Those that use a keyslot.
  func tokens(of slot: Int32) -> [(number: Int32, type: String)] {
    allTokens.filter { crypt_token_is_assigned(handle, $0.number, slot) == 0 }
  }

  /// What a cut has left: tokens of ours that name a keyslot whose content is to go.
  var marks: [(token: Int32, keyslot: Int32)] {
    allTokens.compactMap { token in
      guard token.type.hasPrefix(Self.markPrefix) else { return nil }
      return Int32(token.type.dropFirst(Self.markPrefix.count)).map { (token.number, $0) }
    }
  }

  /// The type of a token that says: the keyslot with this number is being removed, or is not whole yet. It is in the header itself,
  /// because the library overwrites a keyslot before it forgets it, and a cut between the two leaves one that nothing opens.
  static let markPrefix = "mailboot-unfinished-"

  /// Types of tokens that open nothing by themselves.
  static func opens(_ type: String) -> Bool { type != "systemd-recovery" && !type.hasPrefix(markPrefix) }
}
