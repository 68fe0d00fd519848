import CCryptsetup

extension LUKSDevice {
  /// As in the header, lower case with dashes.
  public var uuid: String {
    crypt_get_uuid(handle).map { String(cString: $0) } ?? ""
  }

  /// LUKS2 only; nil when there is none.
  public var label: String? {
    guard version == 2, let label = crypt_get_label(handle) else { return nil }
    let text = String(cString: label)
    return text.isEmpty ? nil : text
  }

  /// LUKS2 only; nil when there is none.
  public var subsystem: String? {
    guard version == 2, let subsystem = crypt_get_subsystem(handle) else { return nil }
    let text = String(cString: subsystem)
    return text.isEmpty ? nil : text
  }

  /// Changes both in the header, in one step.
  public func set(label: String, subsystem: String) throws(LUKSError) {
    let result = crypt_set_label(handle, label, subsystem)
    guard result >= 0 else {
      throw LUKSError(.other, "cannot label \(headerPath): \(log.take(orTextOf: -result))")
    }
  }

  /// The keyslots that hold the volume's key; an unbound one holds some other key.
  public var usableKeyslots: [Int32] {
    (0..<max(0, crypt_keyslot_max(crypt_get_type(handle)))).filter {
      let status = crypt_keyslot_status(handle, $0)
      return status == CRYPT_SLOT_ACTIVE || status == CRYPT_SLOT_ACTIVE_LAST
    }
  }

  /// The memory that the key derivation of the usable keyslot asks for that asks for least, KiB; 0 for PBKDF2.
  public var leastDerivationMemoryKiB: Int { usableKeyslots.map { derivationMemoryKiB(of: $0) }.min() ?? 0 }

  /// The memory that the one asks for that asks for most.
  var mostDerivationMemoryKiB: Int { usableKeyslots.map { derivationMemoryKiB(of: $0) }.max() ?? 0 }

  /// Of one keyslot.
  func derivationMemoryKiB(of slot: Int32) -> Int {
    var parameters = crypt_pbkdf_type()
    guard crypt_keyslot_get_pbkdf(handle, slot, &parameters) == 0 else { return 0 }
    return Int(parameters.max_memory_kb)
  }
}
