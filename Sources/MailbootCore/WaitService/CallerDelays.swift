/// The delays of those who give passphrases over the bus, each with his own: nobody's guessing holds up anybody else. Root, who could
/// try at a terminal, is never held up.
public struct CallerDelays: Equatable, Sendable {
  private var delays: [UInt32: AttemptDelay] = [:]

  public init() {}

  public mutating func noteRefused(of user: UInt32, at now: Double) {
    delays[user, default: AttemptDelay()].noteRefused(at: now)
  }

  public mutating func noteAccepted() { delays = [:] }

  /// Refused in a row.
  public func refused(of user: UInt32) -> Int { delays[user]?.refused ?? 0 }

  /// Seconds until the user's next attempt is taken; 0: now.
  public func remaining(for user: UInt32, at now: Double) -> Double {
    user == 0 ? 0 : delays[user]?.remaining(at: now) ?? 0
  }
}
