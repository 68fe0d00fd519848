import CLinux
import Glibc
import Linux

/// Tells a damaged LUKS header from none: libcryptsetup answers EINVAL to both and logs nothing.
public enum HeaderMagic {
  /// The first six bytes of LUKS1, and of the first copy of LUKS2.
  public static let primary: [UInt8] = [0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE]  // "LUKS"
  /// The first six bytes of the second copy.
  public static let secondary: [UInt8] = [0x53, 0x4B, 0x55, 0x4C, 0xBA, 0xBE]  // "SKUL"

  /// Where a LUKS2 secondary header may start, in bytes: the possible sizes of the first one (LUKS2 specification, 2.1).
  static let secondaryOffsets = (0..<9).map { 0x4000 << $0 }

  /// Whether a primary or secondary LUKS magic is on the device or in the file.
  static func isPresent(at path: String) throws(LUKSError) -> Bool {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw LUKSError(.other, "cannot read \(path): \(errnoText())") }
    defer { close(descriptor) }
    if try bytes(descriptor, at: 0, path) == primary { return true }
    for offset in secondaryOffsets where try bytes(descriptor, at: offset, path) == secondary {
      return true
    }
    return false
  }

  /// Six bytes, or fewer at the end of the device.
  private static func bytes(_ descriptor: Int32, at offset: Int, _ path: String) throws(LUKSError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: primary.count)
    let count = pread(descriptor, &buffer, buffer.count, offset)
    guard count >= 0 else { throw LUKSError(.other, "cannot read \(path): \(errnoText())") }
    return Array(buffer[..<count])
  }
}
