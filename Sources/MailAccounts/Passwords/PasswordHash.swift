import SecretMemory

/// The hash of a new password.
public struct PasswordHash: Equatable, Sendable {
  /// "{SCHEME}…", as dovecot reads it.
  public let text: String

  /// A hash that somebody else has made.
  /// - Returns: nil for one that nobody could log in with, and for a password in the clear.
  public init?(given: String) {
    switch StoredHash(given).strength {
    case .strong: break
    case .old where StoredHash(given).scheme.map { !["PLAIN", "CLEAR", "CLEARTEXT"].contains($0) } ?? false: break
    default: return nil
    }
    text = given
  }

  /// Nobody can log in with it, until there is a password.
  public static let none = PasswordHash(text: "!")

  init(text: String) { self.text = text }

  /// Hashes with a new salt, see `Cost`.
  public static func make(
    _ password: borrowing SecretBytes, scheme: PasswordScheme
  ) throws(PasswordError) -> PasswordHash {
    try requireUsable(password)
    guard password.count <= scheme.limit else { throw .tooLongForScheme(scheme, limit: scheme.limit) }
    let hash =
      switch scheme {
      case .argon2id: try Argon2Hash.make(password, memory: Cost.argon2Memory, passes: Cost.argon2Passes)
      case .blfCrypt: try crypted(password, prefix: "$2y$", count: Cost.bcrypt)
      case .sha512Crypt: try crypted(password, prefix: "$6$", count: Cost.sha512Rounds)
      }
    return PasswordHash(text: "{\(scheme.rawValue)}\(hash)")
  }

  /// What a new hash costs. dovecot pays it again at each login that its cache does not answer, so it has to stay well
  /// below a second on a small host, and the memory below the `vsz_limit` of dovecot's auth processes (256 MiB). The times
  /// are processor time on an AMD EPYC.
  private enum Cost {
    /// KiB; with 2 passes and 1 lane the first choice of OWASP's cheat sheet: 24 ms.
    static let argon2Memory: UInt32 = 19_456
    static let argon2Passes: UInt32 = 2
    /// 2^12 rounds, 200 ms. OWASP asks for 2^10 at least.
    static let bcrypt: UInt = 12
    /// 50 times the default of crypt(3), 65 ms.
    static let sha512Rounds: UInt = 250_000
  }

  private static func crypted(
    _ password: borrowing SecretBytes, prefix: String, count: UInt
  ) throws(PasswordError) -> String {
    let setting = try CryptHash.newSetting(prefix: prefix, count: count)
    guard let hash = try CryptHash.hash(password, setting: setting) else {
      throw .hashingFailed("crypt does not know \(prefix)")
    }
    return hash
  }
}
