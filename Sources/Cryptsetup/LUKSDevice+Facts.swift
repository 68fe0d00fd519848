import CCryptsetup

/// What of a re-encryption is in a header.
public enum Reencryption: Sendable {
  case none
  /// Begun, and stopped at a safe point.
  case begun
  /// Begun, and cut: the library puts right the few blocks that were being written when it goes on, or when the volume is opened.
  case cut
  case unknown
}

extension LUKSDevice {
  /// Such as `aes-xts-plain64`.
  public var cipher: String {
    let parts = [crypt_get_cipher(handle), crypt_get_cipher_mode(handle)].compactMap { $0.map { String(cString: $0) } }
    return parts.joined(separator: "-")
  }

  /// Bits of the volume's key, with those for integrity.
  public var keyBits: Int { max(0, Int(crypt_get_volume_key_size(handle))) * 8 }

  /// Bytes that are encrypted at once.
  public var sectorSize: Int { max(512, Int(crypt_get_sector_size(handle))) }

  /// Such as `hmac(sha256)`; nil when the volume has none.
  public var integrity: String? {
    var parameters = crypt_params_integrity()
    guard version == 2, crypt_get_integrity_info(handle, &parameters) == 0, let name = parameters.integrity else {
      return nil
    }
    let text = String(cString: name)
    return text.isEmpty || text == "none" ? nil : text
  }

  /// Where the encrypted data begins, bytes.
  public var dataOffset: UInt64 { crypt_get_data_offset(handle) * 512 }

  /// Keyslots that hold some other key than the volume's.
  public var unboundKeyslots: [Int32] {
    (0..<max(0, crypt_keyslot_max(crypt_get_type(handle)))).filter {
      crypt_keyslot_status(handle, $0) == CRYPT_SLOT_UNBOUND
    }
  }

  /// Whether the header says that discards are let through.
  public var allowsDiscards: Bool { (persistentFlags & ActivationFlag.allowDiscards) != 0 }

  /// What the header demands of whoever opens it, in words.
  public var requirements: [String] {
    guard version == 2 else { return [] }
    var flags: UInt32 = 0
    guard crypt_persistent_flags_get(handle, CRYPT_FLAGS_REQUIREMENTS, &flags) == 0 else { return [] }
    let names: [(UInt32, String)] = [
      (1 << 0, "offline re-encryption"), (1 << 1, "online re-encryption"), (1 << 4, "hardware encryption (OPAL)"),
    ]
    var words = names.filter { flags & $0.0 != 0 }.map(\.1)
    let known: UInt32 = names.reduce(0) { $0 | $1.0 }
    if flags & ~known != 0 { words.append("something that this libcryptsetup does not know") }
    return words
  }

  public var reencryption: Reencryption {
    guard version == 2 else { return .none }
    return switch crypt_reencrypt_status(handle, nil) {
    case CRYPT_REENCRYPT_NONE: .none
    case CRYPT_REENCRYPT_CLEAN: .begun
    case CRYPT_REENCRYPT_CRASH: .cut
    default: .unknown
    }
  }

  /// As it is stored in the header.
  var persistentFlags: UInt32 {
    var flags: UInt32 = 0
    guard version == 2, crypt_persistent_flags_get(handle, CRYPT_FLAGS_ACTIVATION, &flags) == 0 else { return 0 }
    return flags
  }
}

/// `CRYPT_ACTIVATE_…`, macros with a cast.
enum ActivationFlag {
  static let allowDiscards: UInt32 = 1 << 3
  static let keyringKey: UInt32 = 1 << 11
  static let refresh: UInt32 = 1 << 18
}
