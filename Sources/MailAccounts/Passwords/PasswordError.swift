import Linux
import SecretMemory

/// Why a password cannot be used, hashed or checked. None says anything of what it is.
public enum PasswordError: Error, Equatable, Sendable, CustomStringConvertible {
  case empty
  /// In octets.
  case tooLong(limit: Int)
  /// In octets; another scheme takes it.
  case tooLongForScheme(PasswordScheme, limit: Int)
  case containsNUL
  case containsControlCharacter
  /// Mail clients send UTF-8: such a password would never be typed again.
  case notUTF8
  /// crypt(3) or libargon2 failed, with their reason.
  case hashingFailed(String)
  /// getentropy(3) failed with this errno.
  case noRandomness(Int32)
  case memory(SecretMemoryError)

  public var description: String {
    switch self {
    case .empty: "the password is empty"
    case .tooLong(let limit): "the password is longer than \(limit) bytes"
    case .tooLongForScheme(let scheme, let limit):
      "the password is longer than \(limit) bytes, more than \(scheme.rawValue) takes into account"
    case .containsNUL: "the password contains a NUL"
    case .containsControlCharacter: "the password contains a control character"
    case .notUTF8: "the password is not UTF-8"
    case .hashingFailed(let reason): "cannot hash the password: \(reason)"
    case .noRandomness(let code): "cannot get random numbers: \(errnoText(code))"
    case .memory(let error): error.description
    }
  }
}
