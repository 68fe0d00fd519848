import SecretMemory

/// A recovery key as systemd makes it: 256 bits in modhex, eight groups of eight letters. All keyboard layouts agree on these letters.
///
/// What opens the keyslot is the text itself, with its dashes.
public enum RecoveryKey {
  /// Letters of the text, with the dashes.
  public static let length = 71
  private static let bytes = 32
  /// The letter of each half of a byte.
  private static let letters = Array("cbdefghijklnrtuv".utf8)
  private static let dash = UInt8(ascii: "-")

  /// A new one, from the kernel's random numbers.
  public static func generate() throws(SecretMemoryError) -> SecretBytes {
    var source = SystemRandomNumberGenerator()
    return try generate(from: &source)
  }

  static func generate(from source: inout some RandomNumberGenerator) throws(SecretMemoryError) -> SecretBytes {
    var key = try SecretBytes(capacity: length)
    for index in 0..<bytes {
      if index > 0 && index % 4 == 0 { try key.append(dash) }
      let byte = UInt8.random(in: .min ... .max, using: &source)
      try key.append(letters[Int(byte >> 4)])
      try key.append(letters[Int(byte & 15)])
    }
    return key
  }

  /// The key as it was made, of one that somebody has typed: dashes may be missing, letters may be capital ones.
  /// - Returns: nil when it can be no recovery key, or is written as it was made.
  public static func normalized(_ typed: borrowing SecretBytes) throws(SecretMemoryError) -> SecretBytes? {
    var key = try SecretBytes(capacity: length)
    var count = 0
    var differs = false
    for index in 0..<typed.count {
      var byte = typed.withUnsafeBytes { $0[index] }
      if byte == dash {
        // Between two groups, and nowhere else.
        guard count > 0, count % 8 == 0, count < 2 * bytes, key.withUnsafeBytes({ $0.last }) != dash else { return nil }
        try key.append(dash)
        continue
      }
      if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) {
        byte |= 0x20
        differs = true
      }
      guard letters.contains(byte), count < 2 * bytes else { return nil }
      if count > 0, count % 8 == 0, key.withUnsafeBytes({ $0.last }) != dash {
        try key.append(dash)
        differs = true
      }
      try key.append(byte)
      count += 1
    }
    guard count == 2 * bytes, differs else { return nil }
    return key
  }
}
