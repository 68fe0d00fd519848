import CCryptsetup
import Glibc
import SecretMemory

/// How a re-encryption ended.
public enum Rekeying: Equatable, Sendable {
  /// All of it has the new key; its keyslot.
  case done(keyslot: Int)
  /// Stopped at a safe point; the next one goes on.
  case stopped
}

/// Bytes that have the new key, of all.
public typealias RekeyProgress = (_ done: UInt64, _ all: UInt64) -> Bool

extension LUKSDevice {
  /// Gives the volume a new key and encrypts everything anew, in place. One that was begun goes on.
  ///
  /// The order of what is written: a keyslot with the new key, bound to nothing; the header's record of the re-encryption, one write;
  /// then blocks, each with a checksum in the header before it changes; at the end the old key's keyslots go, in the same write that
  /// ends the record. Cut anywhere, the header opens with the same passphrase.
  ///
  /// - Parameters:
  ///   - mapping: the open mapping; nil: it is closed.
  ///   - goOn: told of progress; false stops at the next safe point.
  public func rekey(
    mapping: String?, passphrase: borrowing SecretBytes, goOn: @escaping RekeyProgress
  ) throws(LUKSError) -> Rekeying {
    guard version == 2 else { throw LUKSError(.other, "a LUKS1 volume cannot be given a new key in place") }
    if let integrity {
      throw LUKSError(.other, "a volume with integrity (\(integrity)) cannot be given a new key in place")
    }
    if let mapping {
      guard try isOpen(as: mapping) else { throw LUKSError(.other, "\(mapping) is not open") }
    } else {
      try Self.refuseOpen(dataPath)
    }
    switch reencryption {
    case .none: try begin(mapping, passphrase)
    case .begun: try resume(mapping, passphrase, flags: Flag.resumeOnly)
    case .cut:
      try resume(mapping, passphrase, flags: Flag.recovery)
      // The recovery puts the cut blocks right, and has nothing to go on with: that is a new beginning, if anything is left.
      guard crypt_load(handle, nil, nil) == 0 else {
        throw LUKSError(.other, "\(headerPath): \(log.take(orTextOf: EIO))")
      }
      guard reencryption != .none else { return .done(keyslot: Int(usableKeyslots.first ?? 0)) }
      try resume(mapping, passphrase, flags: Flag.resumeOnly)
    case .unknown: throw LUKSError(.other, "the record of the re-encryption in \(headerPath) is not understood")
    }
    let box = Box(goOn)
    let result = withExtendedLifetime(box) {
      crypt_reencrypt_run(
        handle,
        { all, done, context in
          Unmanaged<Box>.fromOpaque(context!).takeUnretainedValue().goOn(done, all) ? 0 : 1
        }, Unmanaged.passUnretained(box).toOpaque())
    }
    guard result >= 0 else {
      throw LUKSError(.other, "the re-encryption has stopped: \(log.take(orTextOf: -result))")
    }
    guard reencryption == .none else { return .stopped }
    return .done(keyslot: Int(usableKeyslots.first ?? 0))
  }

  private enum Flag {
    static let resumeOnly: UInt32 = 1 << 2
    static let recovery: UInt32 = 1 << 3
  }

  private final class Box {
    let goOn: RekeyProgress
    init(_ goOn: @escaping RekeyProgress) { self.goOn = goOn }
  }

  private func begin(_ mapping: String?, _ passphrase: borrowing SecretBytes) throws(LUKSError) {
    // What a change of keys that was cut off has left would be said of the new key's keyslot.
    try finishUnfinished()
    let old = try slot(passphrase, of: usableKeyslots)
    guard let old else { throw LUKSError(.notAccepted, "the passphrase opens no keyslot") }
    let new = try newKeyslot(like: old, passphrase)
    let result = initialize(mapping, passphrase, keyslots: (old, new))
    guard result >= 0 else {
      throw LUKSError(.other, "the re-encryption cannot begin: \(log.take(orTextOf: -result))")
    }
  }

  private func resume(_ mapping: String?, _ passphrase: borrowing SecretBytes, flags: UInt32) throws(LUKSError) {
    let result = initialize(mapping, passphrase, flags: flags)
    guard result >= 0 else {
      if [-EPERM, -ENOENT].contains(result) { throw keyFailure(result) }
      throw LUKSError(.other, "the re-encryption cannot go on: \(log.take(orTextOf: -result))")
    }
  }

  /// - Parameter keyslots: of the present key and of the new one, where one begins; the cipher stays. One that goes on has it all in the
  ///   header.
  private func initialize(
    _ mapping: String?, _ passphrase: borrowing SecretBytes, keyslots: (old: Int32, new: Int32)? = nil,
    flags: UInt32 = 0
  ) -> Int32 {
    let parts = keyslots == nil ? [] : [crypt_get_cipher(handle), crypt_get_cipher_mode(handle)]
    let cipher = parts.compactMap { $0.map { String(cString: $0) } }
    var luks = crypt_params_luks2()
    luks.sector_size = UInt32(sectorSize)
    return passphrase.withUnsafeBytes { bytes in
      withUnsafePointer(to: luks) { luks in
        "checksum".withCString { resilience in
          "sha256".withCString { hash in
            var parameters = crypt_params_reencrypt()
            parameters.mode = CRYPT_REENCRYPT_REENCRYPT
            parameters.direction = CRYPT_REENCRYPT_FORWARD
            parameters.resilience = resilience
            parameters.hash = hash
            parameters.luks2 = keyslots == nil ? nil : luks
            parameters.flags = flags
            return crypt_reencrypt_init_by_passphrase(
              handle, mapping, bytes.baseAddress, bytes.count, keyslots?.old ?? CRYPT_ANY_SLOT,
              keyslots?.new ?? CRYPT_ANY_SLOT, cipher.first, cipher.last, &parameters)
          }
        }
      }
    }
  }

  /// One that the passphrase opens, of these.
  private func slot(_ passphrase: borrowing SecretBytes, of slots: [Int32]) throws(LUKSError) -> Int32? {
    var key = try emptyKey()
    return passphrase.withUnsafeBytes { bytes in
      slots.first { slot in
        var opened: Int32 = -1
        key.appendInPlace { free in
          var size = free.count
          opened = crypt_volume_key_get(handle, slot, free.baseAddress, &size, bytes.baseAddress, bytes.count)
          return 0
        }
        if opened < 0 { _ = log.take(orTextOf: -opened) }
        return opened >= 0
      }
    }
  }

  /// A keyslot with a new key that is bound to nothing yet: one that an earlier attempt has left, or a fresh one, as costly as the old.
  private func newKeyslot(like old: Int32, _ passphrase: borrowing SecretBytes) throws(LUKSError) -> Int32 {
    let volumeSize = crypt_get_volume_key_size(handle)
    // One of another size is somebody's own, and would make a weaker volume of it.
    let likely = unboundKeyslots.filter { crypt_keyslot_get_key_size(handle, $0) == volumeSize }
    if let left = try slot(passphrase, of: likely) { return left }
    // One that is not known leaves the library's own choice.
    _ = NewDerivation.set(on: handle, like: old)
    let size = Int(volumeSize)
    let slot = passphrase.withUnsafeBytes { bytes in
      crypt_keyslot_add_by_key(
        handle, CRYPT_ANY_SLOT, nil, size, bytes.baseAddress, bytes.count, 1)  // CRYPT_VOLUME_KEY_NO_SEGMENT
    }
    guard slot >= 0 else {
      throw LUKSError(.other, "the header of \(headerPath) takes no new keyslot: \(log.take(orTextOf: -slot))")
    }
    return slot
  }
}
