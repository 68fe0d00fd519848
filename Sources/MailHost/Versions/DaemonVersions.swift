import Text

/// A version of a program as far as its dialect depends on it: `3.10.13` is major 3, minor 10, patch 13.
public struct ProgramVersion: Comparable, Sendable, CustomStringConvertible {
  public var numbers: [Int]

  /// - Parameter text: an upstream or Debian version: `1:2.3.19.1+dfsg1-2.1+deb12u7`, `3.7.11-0+deb12u1`, `2.4`; nil when it does
  ///   not begin with a number.
  public init?(_ text: String) {
    let upstream = text.split(separator: ":", maxSplits: 1).last ?? ""
    let digits = upstream.prefix { $0 == "." || ("0"..."9").contains($0) }
    numbers = digits.split(separator: ".").compactMap { Int($0) }
    if numbers.isEmpty { return nil }
  }

  public init(_ numbers: Int...) { self.numbers = numbers }

  public static func < (one: Self, other: Self) -> Bool { one.numbers.lexicographicallyPrecedes(other.numbers) }

  public var description: String { numbers.map(String.init).joined(separator: ".") }
}

/// The versions that the rendered files are for: of the daemons, never of the Debian release.
public struct DaemonVersions: Equatable, Sendable {
  public var postfix: ProgramVersion
  public var dovecot: ProgramVersion
  public var rspamd: ProgramVersion
  public var redis: ProgramVersion
  /// `redis` or `valkey`: names its package, unit, user and files.
  public var redisName = "redis"

  public init(
    postfix: ProgramVersion, dovecot: ProgramVersion, rspamd: ProgramVersion, redis: ProgramVersion,
    redisName: String = "redis"
  ) {
    self.postfix = postfix
    self.dovecot = dovecot
    self.rspamd = rspamd
    self.redis = redis
    self.redisName = redisName
  }

  /// What the releases have.
  public static let debian12 = DaemonVersions(
    postfix: ProgramVersion(3, 7, 11), dovecot: ProgramVersion(2, 3, 19, 1), rspamd: ProgramVersion(3, 4),
    redis: ProgramVersion(7, 0, 15))
  public static let debian13 = DaemonVersions(
    postfix: ProgramVersion(3, 10, 13), dovecot: ProgramVersion(2, 4, 1), rspamd: ProgramVersion(3, 12, 1),
    redis: ProgramVersion(8, 0, 2))
}
