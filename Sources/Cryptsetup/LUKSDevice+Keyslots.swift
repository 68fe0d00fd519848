import CCryptsetup
import Glibc
import JSON
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
    let unfinished = Set(marks.filter { isAbout($0) }.map(\.keyslot))
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

  /// A token of ours that says: what is in this keyslot is to go. It is in the header itself, because the library overwrites a keyslot
  /// before it forgets it, and a cut between the two leaves one that nothing opens.
  struct Mark {
    var token: Int32
    var keyslot: Int32
    /// Of the keyslot that is being removed, as the header has it.
    var salt: String?
    /// Of one that is being made: its rounds of PBKDF2.
    var iterations: Int?
  }

  /// What a cut has left.
  var marks: [Mark] {
    allTokens.compactMap { token in
      guard token.type.hasPrefix(Self.markPrefix), let keyslot = Int32(token.type.dropFirst(Self.markPrefix.count))
      else { return nil }
      let json = tokenJSON(token.number)
      var mark = Mark(token: token.number, keyslot: keyslot)
      if case .string(let salt)? = json?["salt"] { mark.salt = salt }
      if case .integer(let iterations)? = json?["iterations"] { mark.iterations = Int(iterations) }
      return mark
    }
  }

  /// Whether what is in the keyslot is what the mark was made for: once that is gone, somebody else may have put a key there.
  func isAbout(_ mark: Mark) -> Bool {
    guard crypt_keyslot_status(handle, mark.keyslot) != CRYPT_SLOT_INACTIVE else { return false }
    if let salt = mark.salt { return salt == self.salt(of: mark.keyslot) }
    guard let iterations = mark.iterations, let derivation = derivation(of: mark.keyslot) else { return false }
    return derivation.type == "pbkdf2" && derivation.iterations == iterations && tokens(of: mark.keyslot).isEmpty
  }

  /// Each keyslot has one of its own.
  func salt(of slot: Int32) -> String? {
    guard let text = metadata, let json = JSONText(parsing: Array(text.utf8)),
      case .string(let salt)? = json["keyslots"]?["\(slot)"]?["kdf"]?["salt"]
    else { return nil }
    return salt
  }

  private func tokenJSON(_ token: Int32) -> JSONText? {
    var text: UnsafePointer<CChar>?
    guard crypt_token_json_get(handle, token, &text) == token, let text else { return nil }
    return JSONText(parsing: Array(String(cString: text).utf8))
  }

  /// The type of a mark, before the keyslot's number.
  static let markPrefix = "mailboot-unfinished-"

  /// Types of tokens that open nothing by themselves.
  static func opens(_ type: String) -> Bool { type != "systemd-recovery" && !type.hasPrefix(markPrefix) }
}
