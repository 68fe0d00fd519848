import JSON
import Text

/// How much mail postfix has put off, as the service in wait mode last counted it.
public struct DeferredMail: Codable, Equatable, Sendable {
  public var count: Int
  /// Whether there is more than was counted.
  public var hasMore: Bool
  /// When the oldest of it arrived, seconds since 1970; nil: there is none, or it could not be read.
  public var oldest: Double?
  /// When it was counted.
  public var at: Double

  public init(count: Int, hasMore: Bool = false, oldest: Double?, at: Double) {
    self.count = count
    self.hasMore = hasMore
    self.oldest = oldest
    self.at = at
  }

  /// Seconds that the oldest had waited when it was counted.
  public var oldestAge: Double? { oldest.map { max(0, at - $0) } }

  /// Version 1 of the contract.
  public func json() -> JSONText {
    .object([
      ("deferred", .integer(Int64(count))), ("more", .bool(hasMore)),
      ("oldest", oldest.map { .string(timestamp($0)) } ?? .null), ("at", .string(timestamp(at))),
    ])
  }
}
