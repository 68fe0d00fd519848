import CCryptsetup
import CLinux
import Glibc
import SecretMemory

/// A format of others that libcryptsetup opens.
public enum ForeignFormat: Equatable, Sendable {
  /// VeraCrypt, and TrueCrypt before it. PIM 0: the usual number of iterations.
  case veracrypt(pim: UInt32)
  /// BitLocker: a passphrase or a recovery password.
  case bitlocker

  /// What device-mapper's name for a mapping of it begins with.
  var mappingPrefix: String {
    switch self {
    case .veracrypt: "CRYPT-TCRYPT-"
    case .bitlocker: "CRYPT-BITLK-"
    }
  }
}

/// One volume of such a format. Opening is all that is done with it: it is never written to but through its file system.
///
/// As of `LUKSDevice`, one at a time, on one thread.
public struct ForeignVolume: ~Copyable {
  private let handle: OpaquePointer
  private let log: LibraryLog
  private let path: String
  private let format: ForeignFormat

  /// The least that VeraCrypt makes: two areas for headers at each end.
  private static let leastVeraCrypt = 256 << 10

  /// - Parameter device: path of a block device or regular file.
  public init(device: String, _ format: ForeignFormat) throws(LUKSError) {
    try LUKSDevice.requireStorage(device)
    let log = LibraryLog()
    var handle: OpaquePointer?
    let initialized = crypt_init(&handle, device)
    guard initialized >= 0, let handle else {
      let detail = log.take(orTextOf: -initialized)
      throw LUKSError(initialized == -ENOTBLK ? .noDevice : initialized == -ENOMEM ? .noMemory : .other, detail)
    }
    log.attach(to: handle)
    self.handle = handle
    self.log = log
    self.format = format
    path = device
  }

  deinit {
    // The log callback must go first: crypt_free may still log.
    crypt_set_log_callback(handle, nil, nil)
    crypt_free(handle)
  }

  /// What can be known without a passphrase.
  /// - Returns: the volume's UUID, lower case; empty: VeraCrypt's looks like nothing at all.
  /// - Throws: `.otherFormat` when it cannot be one.
  public static func inspect(_ device: String, _ format: ForeignFormat) throws(LUKSError) -> String {
    let volume = try ForeignVolume(device: device, format)
    switch format {
    case .veracrypt:
      var status = stat()
      guard stat(device, &status) == 0, mb_s_isreg(status.st_mode) != 0 else { return "" }
      guard status.st_size > leastVeraCrypt else {
        throw LUKSError(.otherFormat, "\(device) is too small for a VeraCrypt container")
      }
      return ""
    case .bitlocker:
      try volume.loadBitLocker()
      return crypt_get_uuid(volume.handle).map { String(cString: $0).lowercased() } ?? ""
    }
  }

  private func loadBitLocker() throws(LUKSError) {
    let result = crypt_load(handle, CRYPT_BITLK, nil)
    guard result < 0 else { return }
    let detail = log.take(orTextOf: -result)
    switch result {
    case -EINVAL: throw LUKSError(.otherFormat, "it is no BitLocker volume")
    case -ENOTSUP: throw LUKSError(.other, "this kind of BitLocker volume cannot be opened here: \(detail)")
    default: throw LUKSError(result == -ENOMEM ? .noMemory : .other, "cannot read \(path): \(detail)")
    }
  }

  /// Whether the passphrase is the volume's; changes nothing.
  public func check(passphrase: borrowing SecretBytes) throws(LUKSError) {
    if passphrase.isEmpty { throw LUKSError(.notAccepted, "the passphrase is empty") }
    let result: Int32
    switch format {
    case .veracrypt(let pim): result = loadVeraCrypt(passphrase, pim)
    case .bitlocker:
      try loadBitLocker()
      result = passphrase.withUnsafeBytes { bytes in
        crypt_activate_by_passphrase(handle, nil, CRYPT_ANY_SLOT, bytes.baseAddress, bytes.count, 0)
      }
    }
    guard result < 0 else { return }
    let detail = log.take(orTextOf: -result)
    switch result {
    case -EPERM,
      // What looks like a recovery password and is not the right one the library calls a bad argument.
      -EINVAL where !isVeraCrypt:
      throw LUKSError(.notAccepted, "the passphrase does not open it")
    case -ENOMEM: throw LUKSError(.noMemory, detail)
    default: throw LUKSError(.other, "cannot open \(path): \(detail)")
    }
  }

  /// `CRYPT_TCRYPT_…`, macros with a cast.
  private static let legacyModes: UInt32 = 1 << 0
  private static let veraModes: UInt32 = 1 << 4

  private var isVeraCrypt: Bool { if case .veracrypt = format { true } else { false } }

  /// The header itself is what the passphrase opens: every hash and cipher is tried, as the header names none.
  private func loadVeraCrypt(_ passphrase: borrowing SecretBytes, _ pim: UInt32) -> Int32 {
    passphrase.withUnsafeBytes { bytes in
      var parameters = crypt_params_tcrypt()
      parameters.passphrase = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
      parameters.passphrase_size = bytes.count
      parameters.flags = Self.legacyModes | Self.veraModes
      parameters.veracrypt_pim = pim
      return crypt_load(handle, CRYPT_TCRYPT, &parameters)
    }
  }

  /// Opens it as `/dev/mapper/` and `mapping`. A regular file gets a loop device that goes away with the mapping.
  /// - Parameter beforeChange: called once the passphrase has proven right and before anything is changed.
  public func activate(
    mapping: String, passphrase: borrowing SecretBytes, options: ActivationOptions = ActivationOptions(),
    beforeChange: () -> Void = {}
  ) throws(LUKSError) -> Activation {
    if let existing = DeviceMapping.named(mapping) {
      guard existing.uuid.hasPrefix(format.mappingPrefix), existing.lies(on: path) else {
        throw LUKSError(.nameTaken, "the name \(mapping) is in use for \(existing.backing)")
      }
      return .alreadyOpen
    }
    try LUKSDevice.refuseOpen(path)
    try check(passphrase: passphrase)
    beforeChange()
    let result: Int32
    switch format {
    case .veracrypt: result = crypt_activate_by_volume_key(handle, mapping, nil, 0, options.flags)
    case .bitlocker:
      result = passphrase.withUnsafeBytes { bytes in
        crypt_activate_by_passphrase(handle, mapping, CRYPT_ANY_SLOT, bytes.baseAddress, bytes.count, options.flags)
      }
    }
    guard result < 0 else { return .opened(keyslot: 0) }
    let detail = log.take(orTextOf: -result)
    switch result {
    case -ENOTSUP: throw LUKSError(.noDeviceMapper, "the kernel offers no device-mapper, or not its cipher: \(detail)")
    case -EBUSY: throw LUKSError(.busy, detail)
    case -ENOMEM: throw LUKSError(.noMemory, detail)
    default: throw LUKSError(.other, "cannot open \(path) as \(mapping): \(detail)")
    }
  }
}
