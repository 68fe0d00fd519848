import CLinux
import Glibc
import Linux

/// What became of a request to take a mapping's key away.
public enum KeyRevocation: Equatable, Sendable {
  case revoked
  case notOpen
}

extension LUKSDevice {
  /// Takes the volume key out of the kernel while files are open, and lets every read and write of the mapping fail from then on.
  ///
  /// Not `crypt_suspend`: it freezes the file system first, which writes back whatever is waiting to be written, and that takes as long
  /// as the disk likes. The mapping ends as a table of the target `error`, so nobody hangs on it: whoever wrote gets an error.
  /// Replacing the table also frees dm-crypt's own copy, overwritten, of what `key wipe` may have missed.
  public static func revokeKey(mapping: String) throws(LUKSError) -> KeyRevocation {
    guard let existing = DeviceMapping.named(mapping) else { return .notOpen }
    guard existing.isEncrypted else {
      throw LUKSError(.nameTaken, "\(mapping) is no encrypted mapping; it lies on \(existing.backing)")
    }
    defer { revokeLayers(below: mapping) }
    guard let sectors = existing.sectors else { throw LUKSError(.other, "the size of \(mapping) cannot be read") }
    let control = mb_open("/dev/mapper/control", O_RDWR | O_CLOEXEC, 0)
    guard control >= 0 else { throw LUKSError(.noDeviceMapper, "/dev/mapper/control: \(errnoText())") }
    defer { close(control) }
    // Suspended already, as by `cryptsetup luksSuspend`, it cannot be again.
    if mb_dm_is_suspended(control, mapping) == 0 { try require(mb_dm_suspend(control, mapping), "suspend", mapping) }
    // A key in hardware cannot be wiped so; the table that holds it goes next in any case.
    _ = mb_dm_wipe_key(control, mapping)
    try require(mb_dm_load_error(control, mapping, sectors), "load a table for", mapping)
    try require(mb_dm_resume(control, mapping), "resume", mapping)
    return .revoked
  }

  /// Each cipher of a VeraCrypt cascade has a mapping of its own, and a key.
  private static func revokeLayers(below mapping: String) {
    for number in 1...2 {
      let layer = "\(mapping)_\(number)"
      guard DeviceMapping.named(layer)?.uuid.hasPrefix("CRYPT-TCRYPT-") ?? false else { continue }
      _ = try? revokeKey(mapping: layer)
    }
  }

  private static func require(_ result: Int32, _ what: String, _ mapping: String) throws(LUKSError) {
    guard result < 0 else { return }
    let code = errno
    throw LUKSError(code == ENXIO ? .noDevice : .other, "cannot \(what) \(mapping): \(errnoText(code))")
  }
}
