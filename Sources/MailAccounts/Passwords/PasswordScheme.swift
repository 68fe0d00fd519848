/// How a new password is hashed; the names are those of dovecot.
public enum PasswordScheme: String, CaseIterable, Sendable {
  case argon2id = "ARGON2ID"
  case blfCrypt = "BLF-CRYPT"
  case sha512Crypt = "SHA512-CRYPT"

  /// The most octets of a password that the scheme takes into account.
  var limit: Int {
    switch self {
    case .argon2id: passwordLimit
    // bcrypt silently ignores what follows.
    case .blfCrypt: 72
    // crypt(3) refuses CRYPT_MAX_PASSPHRASE_SIZE octets, counted with the NUL.
    case .sha512Crypt: CryptHash.passwordLimit
    }
  }
}

/// The most octets of any password.
let passwordLimit = 1024
