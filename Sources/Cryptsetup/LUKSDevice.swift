import CCryptsetup
import CLinux
import Glibc
import Linux

/// One LUKS1 or LUKS2 device whose header has been read.
///
/// libcryptsetup is not thread-safe and logs to a global callback: one device at a time, on one thread.
public struct LUKSDevice: ~Copyable {
  let handle: OpaquePointer
  let log: LibraryLog
  /// Path of the encrypted data.
  let dataPath: String
  /// Path of the header: the data's own, or a detached one.
  let headerPath: String
  /// 1 or 2.
  public let version: Int

  /// Reads the header of the block device or regular file at `device`, or the detached `header` for it.
  ///
  /// When only one of the two LUKS2 copies is intact, libcryptsetup repairs the other one; see `preventHeaderRepair`.
  public init(device: String, header: String? = nil) throws(LUKSError) {
    for path in [device, header].compactMap(\.self) { try Self.requireStorage(path) }
    let log = LibraryLog()
    let headerPath = header ?? device
    var handle: OpaquePointer?
    let initialized = crypt_init_data_device(&handle, headerPath, device)
    guard initialized >= 0, let handle else {
      let detail = log.take(orTextOf: -initialized)
      throw LUKSError(initialized == -ENOTBLK ? .noDevice : initialized == -ENOMEM ? .noMemory : .other, detail)
    }
    log.attach(to: handle)
    let loaded = crypt_load(handle, nil, nil)
    guard loaded >= 0, let type = crypt_get_type(handle) else {
      crypt_free(handle)
      throw try Self.loadFailure(loaded, headerPath, log)
    }
    self.handle = handle
    self.log = log
    self.headerPath = headerPath
    dataPath = device
    version = String(cString: type) == CRYPT_LUKS1 ? 1 : 2
  }

  deinit {
    // The log callback must go first: crypt_free may still log.
    crypt_set_log_callback(handle, nil, nil)
    crypt_free(handle)
  }

  /// From now on this process neither locks nor repairs any header: for commands that must not write.
  ///
  /// Without its locks libcryptsetup leaves the repair out; it cannot be switched on again in the same process.
  public static func preventHeaderRepair() {
    crypt_metadata_locking(nil, 0)
  }

  static func requireStorage(_ path: String) throws(LUKSError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let code = errno
      throw LUKSError(
        code == ENOENT || code == ENOTDIR || code == ELOOP ? .noDevice : .other, "\(path): \(errnoText(code))")
    }
    guard mb_s_isblk(status.st_mode) != 0 || mb_s_isreg(status.st_mode) != 0 else {
      throw LUKSError(.noDevice, "\(path) is neither a block device nor a regular file")
    }
  }

  private static func loadFailure(_ result: Int32, _ path: String, _ log: LibraryLog) throws(LUKSError) -> LUKSError {
    let silent = log.isEmpty
    let detail = log.take(orTextOf: -result)
    // EIO is also what a file shorter than a header gives.
    guard [-EINVAL, -EIO].contains(result) else {
      return LUKSError(result == -ENOMEM ? .noMemory : .other, "cannot read the header of \(path): \(detail)")
    }
    guard try HeaderMagic.isPresent(at: path) else {
      return LUKSError(.notLUKS, "\(path) has no LUKS header")
    }
    return LUKSError(
      .damagedHeader,
      silent ? "\(path) has a LUKS header, but no intact copy of it" : "the LUKS header of \(path): \(detail)")
  }
}
