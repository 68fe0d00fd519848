import CCryptsetup
import Glibc
import SecretMemory

/// What became of a request to close a mapping.
public enum Deactivation: Equatable, Sendable {
  case closed
  case alreadyClosed
}

extension LUKSDevice {
  /// Closes the encrypted mapping, which wipes its key from the kernel; needs no header.
  ///
  /// A udev probe may hold a device open for a moment. libdevmapper itself repeats a removal that fails with EBUSY, 25 times
  /// at 0.2 s; but a mounted file system or a device on top makes libcryptsetup give up at once, and both may be on their way
  /// out: that is repeated here for up to 3 s.
  public static func deactivate(mapping: String) throws(LUKSError) -> Deactivation {
    let end = MonotonicInstant.now + .seconds(3)
    while true {
      guard let existing = DeviceMapping.named(mapping) else { return .alreadyClosed }
      guard existing.isEncrypted else {
        throw LUKSError(.nameTaken, "\(mapping) is no encrypted mapping; it lies on \(existing.backing)")
      }
      let log = LibraryLog()
      let result = crypt_deactivate(nil, mapping)
      let detail = log.take(orTextOf: -result)
      switch result {
      case 0...: return .closed
      case -ENODEV: return .alreadyClosed
      case -ENOTSUP: throw LUKSError(.noDeviceMapper, detail)
      case -EBUSY:
        guard MonotonicInstant.now < end else {
          let holders = existing.holders
          throw LUKSError(.busy, holders.isEmpty ? detail : "\(mapping) is used by \(holders.joined(separator: ", "))")
        }
        usleep(100_000)
      default: throw LUKSError(.other, "cannot close \(mapping): \(detail)")
      }
    }
  }
}
