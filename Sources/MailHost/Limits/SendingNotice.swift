/// What the administrator is told when an account has reached a limit: once a day for each.
public struct SendingNotice: Equatable, Sendable {
  private static let day = 86400.0

  public let counts: SendingCounts
  public let limits: HostSettings.Limits
  /// What there is to tell.
  public let reached: [SendingLimit]

  /// Nil: there is nothing to tell.
  public init?(_ counts: SendingCounts, _ limits: HostSettings.Limits, now: Double) {
    self.counts = counts
    self.limits = limits
    // A time that is yet to come is that of a clock that was ahead.
    reached = counts.reached.filter { $0.told.map { now - $0 >= Self.day || $0 > now + 3600 } ?? true }.map(\.limit)
    if reached.isEmpty { return nil }
  }

  public var subject: String {
    "\(counts.user) has reached \(reached.map { $0.words(limits) }.joined(separator: ", "))"
  }

  public var text: String {
    """
    \(counts.user) has reached a limit of this host: \(reached.map { $0.words(limits) }.joined(separator: ", ")).
    What it sends beyond that is put off: the sender is told to try again later. Nothing is lost, and
    nobody else is affected.

    In the last 24 hours it has sent \(counts.messages) messages to \(counts.recipients) recipients,
    \(counts.newRecipients) of them for the first time; \(counts.refused) mails were put off.

    If that was not \(counts.user), somebody has the password. A new one keeps them out:
      mailcfg passwd \(counts.user)
    What has left already cannot be called back; `mailhost queue --long` shows what still waits here.

    If it was, let it go on now:
      mailhost limits clear \(counts.user)
    and for always, in /etc/mailboot/mailhost.toml, before `mailhost apply`:
      [limits.user."\(counts.user)"]
    \(reached.map { "  \($0.key) = \($0.most(limits) * 5)" }.joined(separator: "\n"))

    `mailhost limits` shows all accounts. The next mail about this comes tomorrow at the earliest.
    """
  }
}
