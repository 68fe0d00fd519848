import SecretMemory

/// How the contents are cut: each chunk is sealed by itself, with its number and whether it is the last.
struct Chunks {
  static let size = 65536
  static let sealedSize = size + 16

  private var number: UInt64 = 0

  /// Of the next chunk.
  mutating func nonce(isLast: Bool) -> [UInt8] {
    defer { number += 1 }
    return [0, 0, 0] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
      + [isLast ? 1 : 0]
  }

  static func key(_ fileKey: borrowing SecretBytes, nonce: [UInt8]) throws(AgeError) -> SecretBytes {
    try derivedKey(fileKey, salt: nonce, label: "payload")
  }
}
