import SecretMemory

/// Bech32 (BIP 173) without its limit of 90 characters, as age writes keys.
enum Bech32 {
  private static let letters = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
  private static let generators: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]

  /// The 32 bytes of a key.
  /// - Parameter prefix: what stands before the `1`, in the only case that is right.
  /// - Throws: `.key`.
  static func key(_ text: UnsafeRawBufferPointer, prefix: String) throws(AgeError) -> SecretBytes {
    let prefix = Array(prefix.utf8)
    let isUpper = prefix.contains { (0x41...0x5a).contains($0) }
    // 32 bytes are 52 letters of 5 bits, and the checksum has 6.
    guard text.count == prefix.count + 1 + 58, text.starts(with: prefix + [UInt8(ascii: "1")]) else {
      throw .key("it is not as long as a key, or something else")
    }
    var check = Self.start(prefix.map { isUpper ? $0 | 0x20 : $0 })
    var bits: UInt32 = 0
    var count = 0
    var place = 0
    let key = try secretBytes(32) { (space) throws(AgeError) in
      for (index, byte) in text[(prefix.count + 1)...].enumerated() {
        let isOtherCase = isUpper ? (0x61...0x7a).contains(byte) : (0x41...0x5a).contains(byte)
        guard !isOtherCase, let value = letters.firstIndex(of: (0x41...0x5a).contains(byte) ? byte | 0x20 : byte) else {
          throw .key("it has a character that no key has")
        }
        check = step(check, UInt32(value))
        guard index < 52 else { continue }
        bits = (bits << 5 | UInt32(value)) & 0xfff
        count += 5
        if count >= 8 {
          count -= 8
          space.storeBytes(of: UInt8(truncatingIfNeeded: bits >> UInt32(count)), toByteOffset: place, as: UInt8.self)
          place += 1
        }
      }
      guard check == 1 else { throw .key("it has a typing error: its checksum is wrong") }
      guard bits & ((1 << UInt32(count)) - 1) == 0 else { throw .key("it ends with bits that no key has") }
    }
    return key
  }

  private static func start(_ prefix: [UInt8]) -> UInt32 {
    var check: UInt32 = 1
    for byte in prefix { check = step(check, UInt32(byte >> 5)) }
    check = step(check, 0)
    for byte in prefix { check = step(check, UInt32(byte & 31)) }
    return check
  }

  private static func step(_ check: UInt32, _ value: UInt32) -> UInt32 {
    var next = (check & 0x1ff_ffff) << 5 ^ value
    for (index, generator) in generators.enumerated() where check >> (25 + UInt32(index)) & 1 == 1 {
      next ^= generator
    }
    return next
  }
}
