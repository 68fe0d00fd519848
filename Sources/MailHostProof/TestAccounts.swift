import Glibc
import HostChecks
import Linux

/// A user that exists for the time of the test.
public struct TestUser: Sendable {
  public let address: String
  /// Of random octets; it is in this process and in its connections, which are encrypted or local, and nowhere else.
  public let password: String

  init(_ name: String) {
    address = "\(name)@\(TestDomain.name)"
    password = randomWord(bytes: 18)
  }
}

/// The domain of the test's users.
public enum TestDomain {
  /// Nobody can have it, and no mail from elsewhere is addressed to it (RFC 2606).
  public static let name = "mailhost-test.invalid"
}

/// Puts the test's users into the account database and takes them out again.
public protocol TestAccounts {
  /// Makes the domain, its directories and its users.
  func make(_ users: [TestUser]) throws(TestTrouble)
  /// Removes the domain and its users, and all their mail and filters. Nothing to remove is success.
  func remove() throws(TestTrouble)
}

/// Why there can be no test: what and why.
public struct TestTrouble: Error, Equatable {
  public var text: String

  public init(_ text: String) { self.text = text }
}

/// Hexadecimal digits that nobody can guess.
func randomWord(bytes count: Int) -> String {
  var bytes = [UInt8](repeating: 0, count: count)
  // It fails only for more than 256 bytes.
  getentropy(&bytes, count)
  return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
