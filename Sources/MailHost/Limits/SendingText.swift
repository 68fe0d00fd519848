import Text

/// What accounts have sent, as a person reads it, no line longer than `columns`.
public struct SendingText: Sendable {
  private let columns: Int
  /// Seconds since 1970.
  private let now: Double

  public init(columns: Int = 79, now: Double) {
    self.columns = columns
    self.now = now
  }

  public func lines(_ counts: SendingCounts, _ limits: HostSettings.Limits) -> [String] {
    func part(_ count: Int, _ most: Int, _ name: String) -> String {
      "\(count)\(most > 0 ? " of \(most)" : "") \(name)"
    }
    let parts = [
      part(counts.messages, limits.messagesPerDay, "messages"),
      part(counts.recipients, limits.recipientsPerDay, "recipients"),
      part(counts.newRecipients, limits.newRecipientsPerDay, "of them new"),
    ]
    var lines = [fitted(visibleInLine(counts.user)), fitted("  " + parts.joined(separator: ", "))]
    for block in counts.blocks {
      let since = age(now - (block.since ?? now))
      lines.append(fitted("  ! put off since \(since): \(block.limit.words(limits)) are reached"))
    }
    if counts.blocks.isEmpty, let last = counts.reached.map(\.last).max() {
      lines.append(fitted("  mail was put off, the last \(age(now - last)) ago; it is taken again"))
    }
    if counts.refused > 0, !counts.blocks.isEmpty {
      let times = counts.refused == 1 ? "1 mail" : "\(counts.refused) mails"
      lines.append(fitted("    \(times) put off in 24 hours"))
    }
    return lines
  }

  private func fitted(_ text: String) -> String {
    text.count > columns ? text.prefix(max(0, columns - 3)) + "..." : text
  }
}
