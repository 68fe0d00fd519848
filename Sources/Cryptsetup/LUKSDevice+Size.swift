import CCryptsetup
import Glibc
import SecretMemory

extension LUKSDevice {
  /// Bytes that the mapping has now; nil when it is not open.
  public func activeSize(of mapping: String) -> UInt64? {
    var active = crypt_active_device()
    guard crypt_get_active_device(handle, mapping, &active) == 0 else { return nil }
    return active.size * 512
  }

  /// Makes the open mapping as large as its device is now.
  ///
  /// The key stays in the kernel's keyring, where only the process that opened it may name it: it is derived once more.
  public func resize(mapping: String, passphrase: borrowing SecretBytes) throws(LUKSError) {
    guard try isOpen(as: mapping) else { throw LUKSError(.other, "\(mapping) is not open") }
    if let integrity { throw LUKSError(.other, "a volume with integrity (\(integrity)) cannot be grown") }
    let slot = passphrase.withUnsafeBytes { bytes in
      crypt_activate_by_passphrase(
        handle, nil, CRYPT_ANY_SLOT, bytes.baseAddress, bytes.count, version == 2 ? ActivationFlag.keyringKey : 0)
    }
    guard slot >= 0 else { throw keyFailure(slot) }
    let result = crypt_resize(handle, mapping, 0)
    guard result >= 0 else {
      throw LUKSError(.other, "cannot grow \(mapping): \(log.take(orTextOf: -result))")
    }
  }

  /// Stores in the header whether discards are let through, and makes the open mapping so.
  /// - Parameter mapping: nil: it is closed, and the header is enough.
  public func setDiscards(
    _ allowed: Bool, mapping: String?, passphrase: borrowing SecretBytes
  ) throws(LUKSError) {
    guard version == 2 else { throw LUKSError(.other, "a LUKS1 header cannot store it") }
    if let mapping {
      guard try isOpen(as: mapping) else { throw LUKSError(.other, "\(mapping) is not open") }
      var active = crypt_active_device()
      guard crypt_get_active_device(handle, mapping, &active) == 0 else {
        throw LUKSError(.other, "cannot look at \(mapping)")
      }
      var flags = active.flags | ActivationFlag.refresh
      flags = allowed ? flags | ActivationFlag.allowDiscards : flags & ~ActivationFlag.allowDiscards
      // The header's own flags are added to those asked for: it is told first what is to hold.
      try storeDiscards(allowed)
      let slot = passphrase.withUnsafeBytes { bytes in
        crypt_activate_by_passphrase(handle, mapping, CRYPT_ANY_SLOT, bytes.baseAddress, bytes.count, flags)
      }
      guard slot >= 0 else { throw keyFailure(slot) }
    } else {
      try storeDiscards(allowed)
    }
  }

  private func storeDiscards(_ allowed: Bool) throws(LUKSError) {
    let old = persistentFlags
    let new = allowed ? old | ActivationFlag.allowDiscards : old & ~ActivationFlag.allowDiscards
    guard old != new else { return }
    let result = crypt_persistent_flags_set(handle, CRYPT_FLAGS_ACTIVATION, new)
    guard result >= 0 else {
      throw LUKSError(.other, "the header of \(headerPath) cannot be changed: \(log.take(orTextOf: -result))")
    }
  }

  func keyFailure(_ result: Int32) -> LUKSError {
    let detail = log.take(orTextOf: -result)
    return switch result {
    case -EPERM, -ENOENT: LUKSError(.notAccepted, "the passphrase opens no keyslot")
    case -ENOMEM: LUKSError(.noMemory, "the key derivation needs \(mostDerivationMemoryKiB) KiB of memory")
    default: LUKSError(.other, detail)
    }
  }
}
