/// Accounts as they are exported and imported: names as typed, checked when they are imported.
public struct AccountSet: Equatable, Sendable {
  public struct User: Equatable, Sendable {
    public var email: String
    /// As dovecot reads it; nil leaves the one that is there.
    public var passwordHash: String?
    public var isActive: Bool?
    public var limits: LimitsChange

    public init(
      email: String, passwordHash: String? = nil, isActive: Bool? = nil, limits: LimitsChange = LimitsChange()
    ) {
      self.email = email
      self.passwordHash = passwordHash
      self.isActive = isActive
      self.limits = limits
    }
  }

  public struct Alias: Equatable, Sendable {
    public var source: String
    public var destination: String

    public init(source: String, destination: String) {
      self.source = source
      self.destination = destination
    }
  }

  public var domains: [String]
  public var users: [User]
  public var aliases: [Alias]

  public init(domains: [String] = [], users: [User] = [], aliases: [Alias] = []) {
    self.domains = domains
    self.users = users
    self.aliases = aliases
  }
}
