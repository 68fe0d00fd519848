/// A row of `domains`.
public struct DomainRecord: Equatable, Sendable {
  public var id: Int64
  public var name: String
}

/// A row of `users`, without its password.
public struct UserRecord: Equatable, Sendable {
  public var id: Int64
  public var email: String
  public var isActive: Bool
  public var limits: Limits
}

/// A row of `aliases`: one destination, or several in a comma list.
public struct AliasRecord: Equatable, Sendable {
  public var id: Int64
  public var source: String
  public var destination: String
}

/// What an account may not do, or not beyond.
public struct Limits: Equatable, Sendable {
  /// False: send-only. No mail is delivered to it.
  public var receives = true
  /// False: receive-only. It may log in to read, and send nothing.
  public var sends = true
  /// Bytes; nil: no limit of its own.
  public var quota: Int64?

  public init(receives: Bool = true, sends: Bool = true, quota: Int64? = nil) {
    self.receives = receives
    self.sends = sends
    self.quota = quota
  }

  /// Whether the columns of the original schema can express it.
  public var isDefault: Bool { self == Limits() }
}

/// Which of the limits to change; nil leaves one as it is.
public struct LimitsChange: Equatable, Sendable {
  public var receives: Bool?
  public var sends: Bool?
  /// `.some(nil)` takes the quota away.
  public var quota: Int64??

  public init(receives: Bool? = nil, sends: Bool? = nil, quota: Int64?? = nil) {
    self.receives = receives
    self.sends = sends
    self.quota = quota
  }

  public func applied(to limits: Limits) -> Limits {
    Limits(receives: receives ?? limits.receives, sends: sends ?? limits.sends, quota: quota ?? limits.quota)
  }
}

/// Which rows a list shows; nil fields choose all.
public struct ListFilter: Equatable, Sendable {
  /// The domain's name.
  public var domain: String?
  /// Only users that are disabled, or only those that are not.
  public var isActive: Bool?
  /// Part of the name or address (of either side of an alias), in any case.
  public var search: String?

  public init(domain: String? = nil, isActive: Bool? = nil, search: String? = nil) {
    self.domain = domain
    self.isActive = isActive
    self.search = search
  }
}
