/// How long to wait after refused passphrases: not at all after the first two, then twice as long each time.
///
/// It slows down guessing over the bus (see `CallerDelays`) and by agents. Whoever is root can try as fast as the key derivation is.
public struct AttemptDelay: Equatable, Sendable {
  /// Refused since the last accepted one.
  public private(set) var refused = 0
  /// Monotonic seconds.
  private var notBefore = 0.0

  /// The longest delay, seconds.
  public static let longest = 60.0

  public init() {}

  /// The delay that follows so many refusals, seconds.
  static func delay(after refused: Int) -> Double {
    refused < 3 ? 0 : min(longest, Double(1 << min(refused - 2, 10)))
  }

  public mutating func noteRefused(at now: Double) {
    refused += 1
    notBefore = now + Self.delay(after: refused)
  }

  public mutating func noteAccepted() { self = AttemptDelay() }

  /// Seconds until the next attempt is taken; 0: now.
  public func remaining(at now: Double) -> Double { max(0, notBefore - now) }
}
