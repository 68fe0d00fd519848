/// What is known of a DKIM key file without its secret.
enum DKIMKeyFacts: Equatable {
  /// A key that rspamd can sign with. `publicForms`: the values that `p=` may have for it, base64.
  case usable(algorithm: String, bits: Int, publicForms: [String])
  /// Why rspamd could not sign with it; a clause that follows the file's name.
  case unusable(String)
  /// `errno` of the attempt to open or read it as the user who signs.
  case unreadable(Int32)
}

extension DKIMKeyFacts {
  /// Signers should use at least so many bits (RFC 8301, section 3.2); verifiers take 1024 as well.
  static let usualRSABits = 2048

  /// Larger than any key file.
  static let largestFile = 65536

  /// Reads a key as rspamd does (`rspamd_dkim_sign_key_load`): PEM when the file starts with it, else base64.
  init(parsing contents: UnsafeRawBufferPointer) {
    if contents.isEmpty {
      self = .unusable("is empty (0 bytes)")
    } else if contents.startsWithASCII("-----BEGIN") {
      self.init(pem: contents)
    } else if contents.containsASCII("-----BEGIN") {
      self = .unusable("has text before -----BEGIN, which rspamd does not read")
    } else if let decoded = decodeBase64(secret: contents) {
      self.init(ed25519: decoded.contents)
    } else {
      self = .unusable("is neither a PEM private key nor the base64 of an Ed25519 key")
    }
  }

  private init(pem: UnsafeRawBufferPointer) {
    do {
      let key = try PrivateKey.parse(pem: pem)
      switch key.algorithm {
      case "RSA":
        // Records with the bare RSAPublicKey exist as well (RFC 6376, section 3.6.1, and its erratum).
        self = .usable(
          algorithm: "rsa", bits: key.bits,
          publicForms: [base64(key.publicKeyInfo), base64(key.bareRSAPublicKey)])
      case "ED25519":
        self = .unusable("is an Ed25519 key as PEM; rspamd reads only the base64 of its 32-byte seed")
      case let other:
        self = .unusable("is a key for \(other), which DKIM does not have")
      }
    } catch {
      self = .unusable(error.clause)
    }
  }

  /// The seed, or seed and public key together as libsodium keeps a secret key.
  private init(ed25519 bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 32 || bytes.count == 64 else {
      self = .unusable("is base64 of \(bytes.count) bytes, not of a 32-byte Ed25519 seed")
      return
    }
    do {
      let key = try PrivateKey.parse(ed25519Seed: UnsafeRawBufferPointer(rebasing: bytes.prefix(32)))
      self = .usable(algorithm: "ed25519", bits: key.bits, publicForms: [base64(key.rawPublicKey)])
    } catch {
      self = .unusable("is not an Ed25519 key")
    }
  }
}

// One line of text for the pipe between the process that reads keys and the one that reports.
extension DKIMKeyFacts {
  var line: String {
    switch self {
    case .usable(let algorithm, let bits, let publicForms):
      "usable\t\(algorithm)\t\(bits)\t\(publicForms.joined(separator: " "))"
    case .unusable(let reason): "unusable\t\(printable(reason))"
    case .unreadable(let number): "unreadable\t\(number)"
    }
  }

  init?(line: Substring) {
    let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    switch (parts.first, parts.count) {
    case ("usable", 4):
      guard let bits = Int(parts[2]) else { return nil }
      self = .usable(
        algorithm: parts[1], bits: bits, publicForms: parts[3].split(separator: " ").map(String.init))
    case ("unusable", 2): self = .unusable(parts[1])
    case ("unreadable", 2):
      guard let number = Int32(parts[1]) else { return nil }
      self = .unreadable(number)
    default: return nil
    }
  }
}
