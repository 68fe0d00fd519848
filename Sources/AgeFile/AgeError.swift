import Linux
import SecretMemory

/// Why a file could not be encrypted or decrypted.
public enum AgeError: Error, Equatable, Sendable {
  /// It does not begin as an age file of version 1.
  case notAge
  /// Its header breaks the rules, or was altered; a clause that says how.
  case header(String)
  /// None of the keys, or not this passphrase.
  case noMatch
  /// The header was opened, and its signature is not right: it was altered.
  case alteredHeader
  /// What is encrypted was altered, or is not in its place.
  case altered
  /// The end is missing.
  case cutShort
  /// Something follows the end.
  case trailing
  /// The passphrase's key takes 2 to this power of KiB, more than is done for a file of unknown origin.
  case workFactor(Int)
  /// So many bytes are not to be had for the passphrase's key.
  case noMemory(Int)
  /// Neither `age1…` nor `AGE-SECRET-KEY-1…`; a clause that says why.
  case key(String)
  /// The file cannot be read.
  case input(SystemError)
  /// The file cannot be written.
  case output(SystemError)
  case memory(SecretMemoryError)
  /// libcrypto refused something that it never should.
  case library(String)
}

extension AgeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAge: "it is no file that was encrypted with age"
    case .header(let reason): "its header is damaged: \(reason)"
    case .noMatch: "the key or passphrase does not open it"
    case .alteredHeader: "its header was altered"
    case .altered: "it was altered after it was written"
    case .cutShort: "it was cut short: its end is missing"
    case .trailing: "something was added at its end"
    case .workFactor(let factor): "it asks for 2^\(factor) KiB of memory for its passphrase, which is refused"
    case .noMemory(let bytes): "the passphrase's key takes \(bytes >> 20) MiB of memory, which are not to be had"
    case .key(let reason): reason
    case .input(let error), .output(let error): error.text
    case .memory(let error): error.description
    case .library(let reason): "libcrypto: \(reason)"
    }
  }
}
