import COpenSSL
import Glibc
import SecretMemory

// All of it is libcrypto's; only the sizes and labels are age's.

/// HMAC with SHA-256, 32 bytes.
func authenticationCode(_ key: borrowing SecretBytes, over message: [UInt8]) -> [UInt8] {
  var code = [UInt8](repeating: 0, count: 32)
  key.withUnsafeBytes { key in
    _ = HMAC(EVP_sha256(), key.baseAddress, Int32(key.count), message, message.count, &code, nil)
  }
  return code
}

/// HKDF with SHA-256 (RFC 5869): 32 bytes.
func derivedKey(
  _ secret: borrowing SecretBytes, salt: [UInt8], label: String
) throws(AgeError) -> SecretBytes {
  guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil) else { throw libraryFailure() }
  defer { EVP_PKEY_CTX_free(context) }
  let info = Array(label.utf8)
  let isReady = secret.withUnsafeBytes { secret in
    EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) == 1
      && EVP_PKEY_CTX_set1_hkdf_salt(context, salt, Int32(salt.count)) == 1
      && EVP_PKEY_CTX_set1_hkdf_key(
        context, secret.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(secret.count)) == 1
      && EVP_PKEY_CTX_add1_hkdf_info(context, info, Int32(info.count)) == 1
  }
  guard isReady else { throw libraryFailure() }
  return try secretBytes(32) { (space) throws(AgeError) in
    var length = 32
    guard EVP_PKEY_derive(context, space.assumingMemoryBound(to: UInt8.self), &length) == 1, length == 32 else {
      throw libraryFailure()
    }
  }
}

/// Scrypt (RFC 7914) with r = 8, p = 1: 32 bytes.
func passphraseKey(
  _ passphrase: borrowing SecretBytes, salt: [UInt8], workFactor: Int
) throws(AgeError) -> SecretBytes {
  // 128 bytes for each of r blocks, N times, and a little.
  let needed = 1024 << workFactor
  let wholeSalt = Array("age-encryption.org/v1/scrypt".utf8) + salt
  return try secretBytes(32) { (space) throws(AgeError) in
    let result = passphrase.withUnsafeBytes { passphrase in
      EVP_PBE_scrypt(
        passphrase.baseAddress?.assumingMemoryBound(to: CChar.self), passphrase.count, wholeSalt, wholeSalt.count,
        1 << UInt64(workFactor), 8, 1, UInt64(needed) + (1 << 20), space.assumingMemoryBound(to: UInt8.self), 32)
    }
    guard result == 1 else { throw .noMemory(needed) }
  }
}

/// ChaCha20-Poly1305 (RFC 8439).
struct Sealing: ~Copyable {
  private let context: OpaquePointer
  private static let tagSize = 16

  init() throws(AgeError) {
    guard let context = EVP_CIPHER_CTX_new() else { throw libraryFailure() }
    self.context = context
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  /// - Returns: as many bytes as there are in `plain`, and 16 more.
  func seal(
    _ plain: UnsafeRawBufferPointer, key: borrowing SecretBytes, nonce: [UInt8]
  ) throws(AgeError) -> [UInt8] {
    var sealed = [UInt8](repeating: 0, count: plain.count + Self.tagSize)
    var count: Int32 = 0
    var rest: Int32 = 0
    let isSealed = sealed.withUnsafeMutableBufferPointer { sealed in
      key.withUnsafeBytes { key in
        EVP_EncryptInit_ex(
          context, EVP_chacha20_poly1305(), nil, key.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce) == 1
          && EVP_EncryptUpdate(
            context, sealed.baseAddress, &count, plain.baseAddress?.assumingMemoryBound(to: UInt8.self),
            Int32(plain.count)) == 1
          && EVP_EncryptFinal_ex(context, sealed.baseAddress! + Int(count), &rest) == 1
          && EVP_CIPHER_CTX_ctrl(
            context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagSize), sealed.baseAddress! + plain.count) == 1
      }
    }
    guard isSealed, Int(count + rest) == plain.count else { throw libraryFailure() }
    return sealed
  }

  /// Writes what was sealed to `plain`, which has room for 16 bytes less.
  /// - Returns: false: it was not sealed with this key and nonce, or altered.
  func open(
    _ sealed: [UInt8], into plain: UnsafeMutableRawPointer, key: borrowing SecretBytes, nonce: [UInt8]
  ) -> Bool {
    guard sealed.count >= Self.tagSize else { return false }
    let size = sealed.count - Self.tagSize
    var tag = Array(sealed.suffix(Self.tagSize))
    let target = plain.assumingMemoryBound(to: UInt8.self)
    var count: Int32 = 0
    var rest: Int32 = 0
    ERR_clear_error()
    return key.withUnsafeBytes { key in
      EVP_DecryptInit_ex(
        context, EVP_chacha20_poly1305(), nil, key.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce) == 1
        && EVP_DecryptUpdate(context, target, &count, sealed, Int32(size)) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagSize), &tag) == 1
        && EVP_DecryptFinal_ex(context, target + Int(count), &rest) == 1
    }
  }
}

/// X25519 (RFC 7748).
enum Curve {
  /// - Returns: nil when the shared secret would be zero, as with a public key of low order.
  static func shared(_ secret: borrowing SecretBytes, with point: [UInt8]) throws(AgeError) -> SecretBytes? {
    let own = try key(secret)
    defer { EVP_PKEY_free(own) }
    guard let other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nil, point, point.count) else {
      throw libraryFailure()
    }
    defer { EVP_PKEY_free(other) }
    guard let context = EVP_PKEY_CTX_new(own, nil) else { throw libraryFailure() }
    defer { EVP_PKEY_CTX_free(context) }
    guard EVP_PKEY_derive_init(context) == 1, EVP_PKEY_derive_set_peer(context, other) == 1 else {
      throw libraryFailure()
    }
    do {
      return try secretBytes(32) { (space) throws(AgeError) in
        var length = 32
        guard EVP_PKEY_derive(context, space.assumingMemoryBound(to: UInt8.self), &length) == 1, length == 32 else {
          throw .noMatch
        }
      }
    } catch .noMatch {
      ERR_clear_error()
      return nil
    }
  }

  /// The public half, 32 bytes.
  static func point(of secret: borrowing SecretBytes) throws(AgeError) -> [UInt8] {
    let key = try key(secret)
    defer { EVP_PKEY_free(key) }
    var count = 32
    var point = [UInt8](repeating: 0, count: count)
    guard EVP_PKEY_get_raw_public_key(key, &point, &count) == 1 else { throw libraryFailure() }
    return point
  }

  private static func key(_ secret: borrowing SecretBytes) throws(AgeError) -> OpaquePointer {
    let key = secret.withUnsafeBytes { secret in
      EVP_PKEY_new_raw_private_key(
        EVP_PKEY_X25519, nil, secret.baseAddress?.assumingMemoryBound(to: UInt8.self), secret.count)
    }
    guard let key else { throw libraryFailure() }
    return key
  }
}

func randomBytes(_ count: Int) throws(AgeError) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  guard RAND_bytes(&bytes, Int32(count)) == 1 else { throw libraryFailure() }
  return bytes
}

func randomSecret(_ count: Int) throws(AgeError) -> SecretBytes {
  try secretBytes(count) { (space) throws(AgeError) in
    guard RAND_bytes(space.assumingMemoryBound(to: UInt8.self), Int32(count)) == 1 else { throw libraryFailure() }
  }
}

/// Exactly `count` bytes, which `fill` writes.
func secretBytes(
  _ count: Int, _ fill: (UnsafeMutableRawPointer) throws(AgeError) -> Void
) throws(AgeError) -> SecretBytes {
  var bytes: SecretBytes
  do throws(SecretMemoryError) {
    bytes = try SecretBytes(capacity: count)
  } catch {
    throw .memory(error)
  }
  try bytes.appendInPlace { (space) throws(AgeError) -> Int in
    guard let base = space.baseAddress else { throw .library("no memory") }
    try fill(base)
    return count
  }
  return bytes
}

func libraryFailure() -> AgeError {
  var text = [CChar](repeating: 0, count: 256)
  ERR_error_string_n(ERR_get_error(), &text, text.count)
  ERR_clear_error()
  return .library(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
}
