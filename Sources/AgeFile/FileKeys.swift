import SecretMemory

/// The key of a file, 16 bytes, encrypted for those who may open it.
enum FileKeys {
  static let size = 16
  private static let label = "age-encryption.org/v1/X25519"
  private static let zeroNonce = [UInt8](repeating: 0, count: 12)
  /// As age(1): 4 GiB of memory, for a file that anybody may have made.
  private static let highestWorkFactor = 22

  // MARK: Closing

  static func stanza(_ fileKey: borrowing SecretBytes, for recipient: AgeRecipient) throws(AgeError) -> AgeHeader.Stanza
  {
    let secret = try randomSecret(32)
    let share = try Curve.point(of: secret)
    guard let shared = try Curve.shared(secret, with: recipient.point) else {
      throw .key("it is a key that everybody could open the file of")
    }
    let key = try derivedKey(shared, salt: share + recipient.point, label: label)
    return AgeHeader.Stanza(
      arguments: ["X25519", String(decoding: Base64.text(share), as: UTF8.self)], body: try sealed(fileKey, key))
  }

  static func stanza(
    _ fileKey: borrowing SecretBytes, passphrase: borrowing SecretBytes, workFactor: Int
  ) throws(AgeError) -> AgeHeader.Stanza {
    let salt = try randomBytes(16)
    let key = try passphraseKey(passphrase, salt: salt, workFactor: workFactor)
    return AgeHeader.Stanza(
      arguments: ["scrypt", String(decoding: Base64.text(salt), as: UTF8.self), String(workFactor)],
      body: try sealed(fileKey, key))
  }

  private static func sealed(
    _ fileKey: borrowing SecretBytes, _ key: borrowing SecretBytes
  ) throws(AgeError) -> [UInt8] {
    let sealing = try Sealing()
    return try fileKey.withUnsafeBytes { (bytes) throws(AgeError) in
      try sealing.seal(bytes, key: key, nonce: zeroNonce)
    }
  }

  // MARK: Opening

  /// - Throws: `.noMatch`, or what is wrong with a stanza.
  static func key(of header: AgeHeader, _ identities: borrowing AgeIdentities) throws(AgeError) -> SecretBytes {
    for stanza in header.stanzas where stanza.arguments[0] == "X25519" {
      guard stanza.arguments.count == 2, let share = Base64.bytes(stanza.arguments[1].utf8), share.count == 32 else {
        throw .header("a stanza of X25519 has no share of 32 bytes")
      }
      try requireBody(stanza)
      for index in 0..<identities.count {
        let secret = try identities.secret(index)
        guard let shared = try Curve.shared(secret, with: share) else {
          throw .header("a stanza of X25519 has a share of low order")
        }
        let key = try derivedKey(shared, salt: share + Curve.point(of: secret), label: label)
        if let fileKey = try opened(stanza.body, key) { return fileKey }
      }
    }
    throw .noMatch
  }

  static func key(
    of header: AgeHeader, passphrase: borrowing SecretBytes, memory: Int
  ) throws(AgeError) -> SecretBytes {
    guard let stanza = header.stanzas.first, stanza.arguments[0] == "scrypt" else { throw .noMatch }
    guard stanza.arguments.count == 3, let salt = Base64.bytes(stanza.arguments[1].utf8), salt.count == 16 else {
      throw .header("a stanza of scrypt has no salt of 16 bytes")
    }
    let digits = stanza.arguments[2]
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !digits.hasPrefix("0"), let factor = Int(digits)
    else {
      throw .header("a stanza of scrypt has no work factor")
    }
    guard factor <= highestWorkFactor else { throw .workFactor(factor) }
    // Asked for at once, it would be taken from whoever else runs.
    guard 1024 << factor <= memory else { throw .noMemory(1024 << factor) }
    try requireBody(stanza)
    let key = try passphraseKey(passphrase, salt: salt, workFactor: factor)
    guard let fileKey = try opened(stanza.body, key) else { throw .noMatch }
    return fileKey
  }

  private static func requireBody(_ stanza: AgeHeader.Stanza) throws(AgeError) {
    guard stanza.body.count == size + 16 else { throw .header("a stanza's body is of another size") }
  }

  private static func opened(_ body: [UInt8], _ key: borrowing SecretBytes) throws(AgeError) -> SecretBytes? {
    let sealing = try Sealing()
    do {
      return try secretBytes(size) { (space) throws(AgeError) in
        guard sealing.open(body, into: space, key: key, nonce: zeroNonce) else { throw .noMatch }
      }
    } catch .noMatch {
      return nil
    }
  }
}
