import COpenSSL

/// Why bytes are no usable private key.
enum PrivateKeyFault: Error, Equatable {
  case encrypted
  /// What OpenSSL says.
  case unreadable(String)

  /// To follow the file's name.
  var clause: String {
    switch self {
    case .encrypted: "is encrypted with a passphrase"
    case .unreadable(let reason): "is not a PEM private key (\(reason))"
    }
  }
}

/// A private key in OpenSSL's memory, which wipes it when it is freed.
struct PrivateKey: ~Copyable {
  let pointer: OpaquePointer

  private init(pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit {
    EVP_PKEY_free(pointer)
  }

  /// From PEM: PKCS#8 ("PRIVATE KEY") or the older form of one algorithm ("RSA PRIVATE KEY").
  static func parse(pem: UnsafeRawBufferPointer) throws(PrivateKeyFault) -> PrivateKey {
    ERR_clear_error()
    guard let bio = BIO_new_mem_buf(pem.baseAddress, Int32(clamping: pem.count)) else {
      throw .unreadable(opensslErrors())
    }
    defer { BIO_free(bio) }
    // Without a function that refuses, OpenSSL would ask the terminal for the passphrase of an encrypted key.
    if let key = PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil) { return PrivateKey(pointer: key) }
    let reason = opensslErrors()
    if pem.containsASCII("ENCRYPTED") { throw .encrypted }
    throw .unreadable(reason)
  }

  /// From the 32-byte seed of an Ed25519 key (RFC 8032).
  static func parse(ed25519Seed seed: UnsafeRawBufferPointer) throws(PrivateKeyFault) -> PrivateKey {
    ERR_clear_error()
    let bytes = seed.assumingMemoryBound(to: UInt8.self)
    guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, bytes.baseAddress, bytes.count) else {
      throw .unreadable(opensslErrors())
    }
    return PrivateKey(pointer: key)
  }

  /// "RSA", "EC", "ED25519" …
  var algorithm: String { EVP_PKEY_get0_type_name(pointer).map { String(cString: $0) } ?? "unknown" }

  var bits: Int { Int(EVP_PKEY_get_bits(pointer)) }

  /// The public half as DER: SubjectPublicKeyInfo.
  var publicKeyInfo: [UInt8] { encoded { i2d_PUBKEY(pointer, $0) } }

  /// The public half alone as DER, of an RSA key the RSAPublicKey of PKCS#1.
  var bareRSAPublicKey: [UInt8] { encoded { i2d_PublicKey(pointer, $0) } }

  /// The public half of an Ed25519 key, 32 bytes.
  var rawPublicKey: [UInt8] {
    var count = 32
    var bytes = [UInt8](repeating: 0, count: count)
    guard EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1 else { return [] }
    return Array(bytes.prefix(count))
  }

  private func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
    let length = encode(nil)
    guard length > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: Int(length))
    bytes.withUnsafeMutableBufferPointer {
      // OpenSSL moves the pointer that it is given.
      var cursor = $0.baseAddress
      _ = encode(&cursor)
    }
    return bytes
  }
}

extension UnsafeRawBufferPointer {
  /// True when `text` occurs anywhere; without a copy of what may be key material.
  func containsASCII(_ text: StaticString) -> Bool {
    let needle = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    guard count >= needle.count else { return false }
    return (0...(count - needle.count)).contains { self[$0..<($0 + needle.count)].elementsEqual(needle) }
  }

  func startsWithASCII(_ text: StaticString) -> Bool {
    starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
