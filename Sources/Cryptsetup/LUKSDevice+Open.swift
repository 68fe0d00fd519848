import CCryptsetup
import Glibc
import SecretMemory

/// What became of a request to open a device.
public enum Activation: Equatable, Sendable {
  /// Opened now; the keyslot's number.
  case opened(keyslot: Int)
  /// The mapping was there already and is this volume on this device.
  case alreadyOpen
}

extension LUKSDevice {
  /// Opens the device as `/dev/mapper/` and `mapping`, with the activation flags that the header stores.
  ///
  /// A regular file gets a loop device that goes away with the mapping.
  ///
  /// - Parameter options: of crypttab(5), see `ActivationOptions`.
  /// - Parameter beforeChange: called once the passphrase has proven right and before anything is changed. The only slow part, key
  ///   derivation, lies before it (but for a volume whose re-encryption was interrupted).
  public func activate(
    mapping: String, passphrase: borrowing SecretBytes, options: ActivationOptions = ActivationOptions(),
    beforeChange: () -> Void = {}
  ) throws(LUKSError) -> Activation {
    if try isOpen(as: mapping) { return .alreadyOpen }
    try refuseEmpty(passphrase)
    let result: Int32
    let slot: Int32
    if hasRequirements {
      // An interrupted re-encryption needs two volume keys, and hardware encryption one of another kind: only the library
      // can put these together, in one call.
      beforeChange()
      result = passphrase.withUnsafeBytes { bytes in
        trySlots(options.keyslot) {
          crypt_activate_by_passphrase(handle, mapping, $0, bytes.baseAddress, bytes.count, options.flags)
        }
      }
      slot = result
      if [-EPERM, -ENOENT, -ENOMEM].contains(result) { throw derivationFailure(result) }
    } else {
      var key = try emptyKey()
      slot = try unlock(&key, with: passphrase, keyslot: options.keyslot)
      beforeChange()
      result = key.withUnsafeBytes {
        crypt_activate_by_volume_key(handle, mapping, $0.baseAddress, $0.count, options.flags)
      }
    }
    guard result < 0 else { return .opened(keyslot: Int(slot)) }
    return try afterFailedActivation(result, mapping)
  }

  /// Whether `passphrase` opens the volume; changes nothing.
  ///
  /// - Returns: the keyslot's number.
  public func check(passphrase: borrowing SecretBytes) throws(LUKSError) -> Int {
    try refuseEmpty(passphrase)
    let slot = passphrase.withUnsafeBytes { bytes in
      trySlots(nil) { crypt_activate_by_passphrase(handle, nil, $0, bytes.baseAddress, bytes.count, 0) }
    }
    guard slot >= 0 else { throw derivationFailure(slot) }
    return Int(slot)
  }

  /// Whether the mapping is this volume on this device; another volume or device under that name is an error.
  ///
  /// Open under another name is an error, too: opened once more, or re-encrypted as if it were closed, a file would be written to from two
  /// sides.
  func isOpen(as mapping: String) throws(LUKSError) -> Bool {
    guard let existing = DeviceMapping.named(mapping) else {
      try Self.refuseOpen(dataPath)
      return false
    }
    // The UUID alone is not enough: a copied disk has the same one.
    guard existing.isVolume(version: version, uuid: uuid) && existing.lies(on: dataPath) else {
      throw LUKSError(.nameTaken, "the name \(mapping) is in use for \(existing.backing)")
    }
    return true
  }

  /// - Throws: `.busy` when an encrypted mapping lies on a device or file.
  public static func refuseOpen(_ path: String) throws(LUKSError) {
    let others = DeviceMapping.opened(on: path)
    guard others.isEmpty else {
      throw LUKSError(.busy, "\(path) is open already as \(others.joined(separator: ", "))")
    }
  }

  /// An empty passphrase is nearly always a mistake, and each keyslot would cost a derivation.
  private func refuseEmpty(_ passphrase: borrowing SecretBytes) throws(LUKSError) {
    if passphrase.isEmpty { throw LUKSError(.notAccepted, "the passphrase is empty") }
  }

  var hasRequirements: Bool {
    var flags: UInt32 = 0
    return version == 2 && crypt_persistent_flags_get(handle, CRYPT_FLAGS_REQUIREMENTS, &flags) == 0 && flags != 0
  }

  func emptyKey() throws(LUKSError) -> SecretBytes {
    let size = crypt_get_volume_key_size(handle)
    guard size > 0 else { throw LUKSError(.damagedHeader, "the LUKS header of \(headerPath) has no volume key size") }
    do {
      return try SecretBytes(capacity: Int(size))
    } catch {
      throw LUKSError(.noMemory, error.description)
    }
  }

  /// All keyslots, or the one that is named. The library stops at the first that it lacks the memory for; a cheaper one may be the one.
  private func trySlots(_ named: Int32?, _ attempt: (Int32) -> Int32) -> Int32 {
    let result = attempt(named ?? CRYPT_ANY_SLOT)
    guard named == nil, result == -ENOMEM else { return result }
    for slot in usableKeyslots.sorted(by: { derivationMemoryKiB(of: $0) < derivationMemoryKiB(of: $1) }) {
      let result = attempt(slot)
      if ![-EPERM, -ENOENT, -ENOMEM].contains(result) { return result }
    }
    return result
  }

  func unlock(
    _ key: inout SecretBytes, with passphrase: borrowing SecretBytes, keyslot: Int32?
  ) throws(LUKSError) -> Int32 {
    var slot: Int32 = 0
    passphrase.withUnsafeBytes { bytes in
      key.appendInPlace { free in
        var size = free.count
        slot = trySlots(keyslot) { wanted in
          size = free.count
          return crypt_volume_key_get(handle, wanted, free.baseAddress, &size, bytes.baseAddress, bytes.count)
        }
        return slot < 0 ? 0 : size
      }
    }
    guard slot >= 0 else { throw derivationFailure(slot) }
    return slot
  }

  private func derivationFailure(_ result: Int32) -> LUKSError {
    let silent = log.isEmpty
    let detail = log.take(orTextOf: -result)
    switch result {
    case -EPERM,
      -ENOENT where silent:
      // ENOENT: the last keyslot tried is an unbound one, whatever the others said.
      return LUKSError(
        .notAccepted,
        usableKeyslots.isEmpty
          ? "no keyslot of \(headerPath) holds the volume's key" : "the passphrase opens no keyslot")
    case -ENOMEM:
      return LUKSError(.noMemory, "the key derivation needs \(mostDerivationMemoryKiB) KiB of memory")
    default:
      return LUKSError(.other, "cannot open a keyslot of \(headerPath): \(detail)")
    }
  }

  func afterFailedActivation(_ result: Int32, _ mapping: String) throws(LUKSError) -> Activation {
    let detail = log.take(orTextOf: -result)
    switch result {
    case -EEXIST:
      // Somebody was faster since we looked.
      if try isOpen(as: mapping) { return .alreadyOpen }
      throw LUKSError(.other, "cannot open \(dataPath) as \(mapping): \(detail)")
    case -ENOTSUP:
      // The library goes on to complain about the name, too.
      throw LUKSError(.noDeviceMapper, "the kernel offers no device-mapper; is the module dm_mod loaded?")
    case -EBUSY:
      try Self.refuseOpen(dataPath)
      throw LUKSError(.busy, detail)
    case -ENOMEM:
      throw LUKSError(.noMemory, detail)
    default:
      throw LUKSError(.other, "cannot open \(dataPath) as \(mapping): \(detail)")
    }
  }
}
