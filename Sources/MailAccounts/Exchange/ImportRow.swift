/// Accounts as they come in: names as typed, checked where they are taken.
public enum ImportRow: Equatable, Sendable {
  /// - Parameter kept: the name is as an older program stored it, and to stay so.
  case domain(String, kept: Bool)
  case user(ImportedUser)
  case alias(ImportedAlias)
}

public struct ImportedUser: Equatable, Sendable {
  public var email: String
  /// As dovecot reads it; nil leaves the one that is there.
  public var passwordHash: String?
  public var isActive: Bool?
  public var limits: LimitsChange
  /// All of it is as an older program stored it, and to stay so.
  public var isKept: Bool

  public init(
    email: String, passwordHash: String? = nil, isActive: Bool? = nil, limits: LimitsChange = LimitsChange(),
    isKept: Bool = false
  ) {
    self.email = email
    self.passwordHash = passwordHash
    self.isActive = isActive
    self.limits = limits
    self.isKept = isKept
  }
}

public struct ImportedAlias: Equatable, Sendable {
  public var source: String
  public var destination: String
  public var isKept: Bool

  public init(source: String, destination: String, isKept: Bool = false) {
    self.source = source
    self.destination = destination
    self.isKept = isKept
  }
}

/// Where the bytes of an import come from, piece by piece.
public struct ImportSource {
  private let next: () throws(AccountError) -> [UInt8]

  /// - Parameter next: gives the next bytes; none at the end.
  public init(_ next: @escaping () throws(AccountError) -> [UInt8]) { self.next = next }

  /// All of them at once.
  public init(_ bytes: [UInt8]) {
    var rest = bytes
    next = { () throws(AccountError) in
      defer { rest = [] }
      return rest
    }
  }

  func read() throws(AccountError) -> [UInt8] { try next() }
}
