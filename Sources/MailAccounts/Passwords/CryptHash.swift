import CPassword
import Glibc
import Linux
import SecretMemory

/// crypt(3) of libxcrypt, in locked memory that is wiped afterwards.
enum CryptHash {
  /// In octets, without the NUL that ends the C string.
  static let passwordLimit = Int(CRYPT_MAX_PASSPHRASE_SIZE) - 1

  /// The setting for a new hash: method, cost and a salt of 16 random octets.
  ///
  /// - Parameter count: what the method makes of it: rounds of SHA512-CRYPT, the binary logarithm of those of bcrypt.
  static func newSetting(prefix: String, count: UInt) throws(PasswordError) -> String {
    let salt = try randomSalt()
    var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
    let made = salt.withUnsafeBytes { bytes in
      crypt_gensalt_rn(
        prefix, count, bytes.assumingMemoryBound(to: CChar.self).baseAddress, Int32(bytes.count), &setting,
        Int32(setting.count))
    }
    guard made != nil else { throw .hashingFailed("crypt_gensalt: \(errnoText())") }
    return String(decoding: setting.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Hashes with the method, cost and salt of `setting`, which may be a whole hash.
  ///
  /// - Returns: nil when crypt(3) does not understand the setting.
  /// - Precondition: the password is no longer than `passwordLimit` and has no NUL.
  static func hash(_ password: borrowing SecretBytes, setting: String) throws(PasswordError) -> String? {
    var memory: SecretBytes
    do {
      memory = try SecretBytes(capacity: MemoryLayout<crypt_data>.size)
    } catch {
      throw .memory(error)
    }
    var result: String?
    var code: Int32 = 0
    memory.appendInPlace { data in
      let input = MemoryLayout<crypt_data>.offset(of: \.input)!
      password.withUnsafeBytes { bytes in
        precondition(bytes.count <= passwordLimit)
        (data.baseAddress! + input).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
      }
      let phrase = (data.baseAddress! + input).assumingMemoryBound(to: CChar.self)
      // The memory is fresh, so all else is zero, as it has to be.
      if let output = crypt_rn(phrase, setting, data.baseAddress, Int32(data.count)) {
        result = String(cString: output)
      } else {
        code = errno
      }
      return data.count
    }
    guard result != nil || code == EINVAL else { throw .hashingFailed("crypt: \(errnoText(code))") }
    return result
  }

  /// - Returns: nil when crypt(3) does not understand the hash.
  static func matches(_ password: borrowing SecretBytes, hash stored: String) throws(PasswordError) -> Bool? {
    // What a C string cannot hold, and what crypt(3) refuses, has no such hash.
    let isPossible = password.withUnsafeBytes { $0.count <= passwordLimit && !$0.contains(0) }
    guard isPossible else { return false }
    guard let computed = try hash(password, setting: stored) else { return nil }
    return isEqualInConstantTime(computed.utf8, stored.utf8)
  }
}

/// Compares all octets whatever the first ones are; lengths are no secret.
public func isEqualInConstantTime(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
