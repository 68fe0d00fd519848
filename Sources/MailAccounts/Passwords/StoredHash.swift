import CPassword
import SecretMemory

/// What a stored password is, as dovecot reads it when its `default_pass_scheme` is SHA512-CRYPT: "{SCHEME}…", or something for
/// crypt(3). A bare `$argon2id$…` is unreadable there, because crypt(3) does not know it.
public struct StoredHash: Equatable, Sendable {
  public enum Strength: Equatable, Sendable {
    case strong
    /// Works, but should be renewed: a fast digest, few rounds, little memory, or the password itself.
    case old
    /// Nobody can log in with it, on purpose: empty, or begun with "!" or "*" as in shadow(5).
    case disabled
    /// Nobody can log in with it, by mistake.
    case unreadable
  }

  /// In dovecot's words: "ARGON2ID", "SHA512-CRYPT", "PLAIN". For a hash of crypt(3) its method, whichever such scheme is named
  /// before it. Nil: unreadable or disabled.
  public let scheme: String?
  public let strength: Strength
  private let form: Form

  /// What there is to compare with.
  private enum Form: Equatable, Sendable {
    case crypt(String)
    case argon2(String)
    /// The password as it is.
    case plain(String)
    case none
    /// A scheme that only dovecot knows.
    case foreign
  }

  /// From the column `password`.
  public init(_ stored: String) {
    let bytes = Array(stored.utf8)
    guard bytes.first == UInt8(ascii: "{"), let end = bytes.firstIndex(of: UInt8(ascii: "}")) else {
      self.init(crypt: stored)
      return
    }
    let name = String(decoding: bytes[1..<end], as: UTF8.self).uppercased()
    let value = String(decoding: bytes[(end + 1)...], as: UTF8.self)
    // "SHA256.HEX": the digest's encoding.
    let scheme = name.split(separator: ".", maxSplits: 1).first.map(String.init) ?? ""
    let isEncoded = scheme != name
    switch scheme {
    case "PLAIN", "CLEAR", "CLEARTEXT":
      // An empty one lets nobody in: dovecot refuses empty passwords.
      self.init(
        scheme: value.isEmpty ? nil : scheme, strength: value.isEmpty ? .disabled : .old,
        form: value.isEmpty ? .none : isEncoded ? .foreign : .plain(value))
    case _ where Self.isDisabled(value):
      self.init(scheme: nil, strength: .disabled, form: .none)
    case "ARGON2ID", "ARGON2I":
      self.init(argon2: value, scheme: scheme)
    case "CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT", "DES-CRYPT", "MD5-CRYPT":
      self.init(crypt: value)
    case "MD5" where value.hasPrefix("$1$"):
      self.init(crypt: value)
    case _ where Self.oldSchemes.contains(scheme):
      self.init(scheme: scheme, strength: .old, form: .foreign)
    default:
      self.init(scheme: nil, strength: .unreadable, form: .none)
    }
  }

  /// Whether it is the hash of the password; nil when mailcfg cannot check this scheme itself, or it is unreadable.
  ///
  /// An empty password matches nothing, as in dovecot.
  public func matches(_ password: borrowing SecretBytes) throws(PasswordError) -> Bool? {
    if password.isEmpty && form != .foreign && strength != .unreadable { return false }
    switch form {
    case .crypt(let hash): return try CryptHash.matches(password, hash: hash)
    case .argon2(let encoded):
      guard let type = Argon2Parameters(encoded: encoded)?.type else { return nil }
      return try Argon2Hash.matches(password, encoded: encoded, type: type)
    case .plain(let stored): return password.withUnsafeBytes { isEqualInConstantTime($0, stored.utf8) }
    case .none: return strength == .disabled ? false : nil
    case .foreign: return nil
    }
  }

  /// Schemes of dovecot 2.3 and 2.4 that are digests without rounds or with few, or that can be reversed.
  private static let oldSchemes: Set<String> = [
    "PLAIN-TRUNC", "PLAIN-MD4", "PLAIN-MD5", "MD5", "LDAP-MD5", "SMD5", "SHA", "SHA1", "SSHA", "SHA256", "SSHA256",
    "SHA512", "SSHA512", "CRAM-MD5", "HMAC-MD5", "DIGEST-MD5", "LANMAN", "NTLM", "RPA", "OTP", "SKEY", "PBKDF2",
    "SCRAM-SHA-1", "SCRAM-SHA-256",
  ]

  private static func isDisabled(_ value: String) -> Bool {
    value.isEmpty || value.hasPrefix("!") || value.hasPrefix("*")
  }

  private init(scheme: String?, strength: Strength, form: Form) {
    self.scheme = scheme
    self.strength = strength
    self.form = form
  }

  private init(crypt hash: String) {
    if Self.isDisabled(hash) {
      self.init(scheme: nil, strength: .disabled, form: .none)
    } else if let method = CryptMethod(hash: hash) {
      self.init(scheme: method.name, strength: method.isStrong ? .strong : .old, form: .crypt(hash))
    } else {
      self.init(scheme: nil, strength: .unreadable, form: .none)
    }
  }

  private init(argon2 encoded: String, scheme: String) {
    let type = scheme == "ARGON2I" ? Argon2_i : Argon2_id
    guard let parameters = Argon2Parameters(encoded: encoded), parameters.type == type else {
      self.init(scheme: nil, strength: .unreadable, form: .none)
      return
    }
    // The least of the pairs in OWASP's cheat sheet: 7 MiB in 5 passes.
    let isStrong =
      parameters.version == 19 && parameters.memory >= 7168 && parameters.memory * parameters.passes >= 35_840
      && parameters.tagLength >= 16
    self.init(scheme: scheme, strength: isStrong ? .strong : .old, form: .argon2(encoded))
  }
}
