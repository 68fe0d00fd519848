import CCryptsetup
import Glibc
import Linux
import SecretMemory

/// How a new LUKS2 volume is to be.
public struct LUKSFormat: Sendable {
  public var label: String
  public var subsystem: String
  public var derivation: NewDerivation
  /// The name of a mapping that is there while each sector gets its checksum; nil: sectors have none.
  public var integrityMapping: String?

  public init(label: String, subsystem: String, derivation: NewDerivation, integrityMapping: String?) {
    self.label = label
    self.subsystem = subsystem
    self.derivation = derivation
    self.integrityMapping = integrityMapping
  }

  /// Writes a header to the block device or regular file, and a keyslot that the passphrase opens. AES-XTS with 512 bits, sectors as
  /// large as the device has them.
  ///
  /// - Parameter progress: bytes done and bytes in all, while sectors get their checksums.
  /// - Returns: its UUID.
  public func write(
    to device: String, passphrase: borrowing SecretBytes, progress: @escaping (UInt64, UInt64) -> Void
  ) throws(LUKSError) -> String {
    if passphrase.isEmpty { throw LUKSError(.notChanged, "the passphrase is empty") }
    let log = LibraryLog()
    var made: OpaquePointer?
    let initialized = crypt_init(&made, device)
    guard initialized >= 0, let handle = made else {
      throw LUKSError(initialized == -ENOTBLK ? .noDevice : .other, log.take(orTextOf: -initialized))
    }
    log.attach(to: handle)
    defer {
      crypt_set_log_callback(handle, nil, nil)
      crypt_free(handle)
    }
    try require(derivation.set(on: handle, version: 2), "the key derivation cannot be set", log)
    try require(format(handle), "\(device) cannot be made a LUKS volume", log)
    let slot = passphrase.withUnsafeBytes { bytes in
      crypt_keyslot_add_by_volume_key(handle, CRYPT_ANY_SLOT, nil, 0, bytes.baseAddress, bytes.count)
    }
    if slot == -ENOMEM { throw LUKSError(.noMemory, log.take(orTextOf: ENOMEM)) }
    try require(slot, "no keyslot could be made on \(device)", log)
    if let integrityMapping { try initialize(handle, integrityMapping, log, progress) }
    return crypt_get_uuid(handle).map { String(cString: $0) } ?? ""
  }

  private func format(_ handle: OpaquePointer) -> Int32 {
    label.withCString { label in
      subsystem.withCString { subsystem in
        "hmac(sha256)".withCString { integrity in
          var parameters = crypt_params_luks2()
          parameters.label = label
          parameters.subsystem = subsystem
          // 0: the library looks which size the device likes best.
          parameters.sector_size = 0
          var keySize = 64
          if integrityMapping != nil {
            parameters.integrity = integrity
            // The key of the checksums comes with the other one.
            keySize += 32
          }
          return crypt_format(handle, CRYPT_LUKS2, "aes", "xts-plain64", nil, nil, keySize, &parameters)
        }
      }
    }
  }

  /// A sector that nobody has written yet would be a read error.
  private func initialize(
    _ handle: OpaquePointer, _ mapping: String, _ log: LibraryLog, _ progress: @escaping (UInt64, UInt64) -> Void
  ) throws(LUKSError) {
    // `CRYPT_ACTIVATE_PRIVATE`, `CRYPT_ACTIVATE_NO_JOURNAL`: nobody else has anything to look for there, and a cut begins anew.
    let flags: UInt32 = 1 << 4 | 1 << 12
    try require(
      crypt_activate_by_volume_key(handle, mapping, nil, 0, flags), "\(mapping) cannot be opened to be initialized", log
    )
    let box = Unmanaged.passRetained(ProgressBox(progress))
    defer { box.release() }
    let wiped = crypt_wipe(
      handle, "/dev/mapper/\(mapping)", CRYPT_WIPE_ZERO, 0, 0, 1 << 20, 0,
      { size, offset, context in
        if let context { Unmanaged<ProgressBox>.fromOpaque(context).takeUnretainedValue().report(offset, size) }
        return 0
      }, box.toOpaque())
    let detail = wiped < 0 ? log.take(orTextOf: -wiped) : ""
    let closed = crypt_deactivate(handle, mapping)
    if wiped < 0 { throw LUKSError(.other, "the sectors cannot be initialized: \(detail)") }
    try require(closed, "\(mapping) cannot be closed", log)
  }

  private func require(_ result: Int32, _ what: String, _ log: LibraryLog) throws(LUKSError) {
    guard result < 0 else { return }
    let kind: LUKSError.Kind =
      switch result {
      case -EBUSY: .busy
      case -ENOMEM: .noMemory
      case -ENOTSUP: .noDeviceMapper
      default: .other
      }
    throw LUKSError(kind, "\(what): \(log.take(orTextOf: -result))")
  }
}

private final class ProgressBox {
  let report: (UInt64, UInt64) -> Void

  init(_ report: @escaping (UInt64, UInt64) -> Void) {
    self.report = report
  }
}
