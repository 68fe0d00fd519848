import Glibc
import SecretMemory

/// A new password to be read out and typed: 6 groups of 4, joined by "-", of lower-case letters and digits without those that
/// look alike. 24 of 31 characters are 118 bits.
public func generatedPassword() throws(PasswordError) -> SecretBytes {
  let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789".utf8)
  let groups = 6
  let groupLength = 4
  let length = groups * (groupLength + 1) - 1
  do {
    var password = try SecretBytes(capacity: length)
    // Of 32 values one is thrown away, so twice as many as needed nearly always do.
    var random = try RandomBytes(capacity: 64)
    while password.count < length {
      if password.count % (groupLength + 1) == groupLength {
        try password.append(UInt8(ascii: "-"))
      } else {
        let value = Int(try random.next() & 31)
        // Taking it modulo 31 would make one character likelier than the others.
        if value < alphabet.count { try password.append(alphabet[value]) }
      }
    }
    return password
  } catch let error as SecretMemoryError {
    throw .memory(error)
  } catch let error as PasswordError {
    throw error
  } catch {
    throw .hashingFailed("\(error)")
  }
}

/// Random octets in locked memory, one after the other.
private struct RandomBytes: ~Copyable {
  private var bytes: SecretBytes

  init(capacity: Int) throws(SecretMemoryError) { bytes = try SecretBytes(capacity: capacity) }

  mutating func next() throws(PasswordError) -> UInt8 {
    if bytes.isEmpty {
      try bytes.appendInPlace { (free) throws(PasswordError) -> Int in
        try fillWithRandomness(free)
        return free.count
      }
    }
    let byte = bytes.withUnsafeBytes { $0[$0.count - 1] }
    bytes.removeLast()
    return byte
  }
}
