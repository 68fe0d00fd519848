import SecretMemory

@testable import MailAccounts

func secret(_ bytes: some Collection<UInt8>) throws -> SecretBytes {
  var secret = try SecretBytes(capacity: max(1, bytes.count))
  for byte in bytes { try secret.append(byte) }
  return secret
}

func secret(_ text: String) throws -> SecretBytes { try secret(Array(text.utf8)) }

func bytes(of secret: borrowing SecretBytes) -> [UInt8] { secret.withUnsafeBytes { Array($0) } }

/// Whether `stored` is the hash of `password`.
func matches(_ stored: String, _ password: String) throws -> Bool? {
  let password = try secret(password)
  return try StoredHash(stored).matches(password)
}

/// The text of a new hash.
func newHash(_ password: String, _ scheme: PasswordScheme) throws -> String {
  let password = try secret(password)
  return try PasswordHash.make(password, scheme: scheme).text
}

/// The error of `body`, nil if there is none.
func error<E: Error>(_ body: () throws(E) -> Void) -> E? {
  do {
    try body()
    return nil
  } catch {
    return error
  }
}
