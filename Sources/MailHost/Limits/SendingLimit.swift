/// What is limited of an account's sending. The raw values are those of the counts in redis (templates/rspamd/local.d/rspamd.lua).
public enum SendingLimit: String, CaseIterable, Sendable {
  case messages = "m"
  case recipients = "r"
  case newRecipients = "n"
  case burst = "b"

  /// The key of `[limits]` in mailhost.toml.
  public var key: String {
    switch self {
    case .messages: "messages_per_day"
    case .recipients: "recipients_per_day"
    case .newRecipients: "new_recipients_per_day"
    case .burst: "burst"
    }
  }

  /// How much of it there may be.
  public func most(_ limits: HostSettings.Limits) -> Int {
    switch self {
    case .messages: limits.messagesPerDay
    case .recipients: limits.recipientsPerDay
    case .newRecipients: limits.newRecipientsPerDay
    case .burst: limits.burst
    }
  }

  /// `200 new recipients a day`.
  public func words(_ limits: HostSettings.Limits) -> String {
    let most = most(limits)
    switch self {
    case .messages: return "\(most) messages a day"
    case .recipients: return "\(most) recipients a day"
    case .newRecipients: return "\(most) new recipients a day"
    case .burst: return "\(most) recipients at once"
    }
  }
}
