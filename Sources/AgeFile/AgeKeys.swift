import Glibc
import SecretMemory

/// Whoever may open a file: `age1…`, a public key of X25519.
public struct AgeRecipient: Equatable, Sendable {
  let point: [UInt8]

  /// - Throws: `.key`.
  public init(_ text: String) throws(AgeError) {
    guard text.hasPrefix("age1") else { throw .key("it does not begin with age1") }
    let bytes = Array(text.utf8)
    point = try bytes.withUnsafeBufferPointer { (bytes) throws(AgeError) -> [UInt8] in
      try Bech32.key(UnsafeRawBufferPointer(bytes), prefix: "age").withUnsafeBytes { Array($0) }
    }
  }
}

/// Secret keys, as `age-keygen` writes them into a file: `AGE-SECRET-KEY-1…`, one a line, and comments.
public struct AgeIdentities: ~Copyable {
  /// Each 32 bytes, one behind the other.
  private let secrets: SecretBytes

  private static let prefix = "AGE-SECRET-KEY-"
  private static let size = 32

  public var count: Int { secrets.count / Self.size }

  /// - Throws: `.key`, with the line.
  public init(file: borrowing SecretBytes) throws(AgeError) {
    var secrets: SecretBytes
    do throws(SecretMemoryError) {
      secrets = try SecretBytes(capacity: max(file.count, Self.size))
    } catch {
      throw .memory(error)
    }
    try secrets.appendInPlace { (space) throws(AgeError) -> Int in
      try file.withUnsafeBytes { (bytes) throws(AgeError) -> Int in try Self.read(bytes, into: space) }
    }
    self.secrets = secrets
  }

  /// - Returns: how many bytes of keys there are.
  private static func read(
    _ bytes: UnsafeRawBufferPointer, into space: UnsafeMutableRawBufferPointer
  ) throws(AgeError) -> Int {
    var count = 0
    var number = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      let line = UnsafeRawBufferPointer(rebasing: line.last == 0x0d ? line.dropLast() : line)
      if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
      do throws(AgeError) {
        let key = try Bech32.key(line, prefix: prefix)
        key.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: space[count...]).copyMemory(from: $0) }
        count += size
      } catch .key(let reason) {
        // Never the line itself.
        throw .key("line \(number) is no secret key of age: \(reason)")
      }
    }
    guard count > 0 else { throw .key("there is no secret key in it") }
    return count
  }

  func secret(_ index: Int) throws(AgeError) -> SecretBytes {
    try secretBytes(Self.size) { space throws(AgeError) in
      secrets.withUnsafeBytes { space.copyMemory(from: $0.baseAddress! + index * Self.size, byteCount: Self.size) }
    }
  }
}
