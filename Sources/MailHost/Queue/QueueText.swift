import Text

/// The queue as a person reads it, no line longer than `columns`. What others have written is shown without what a terminal acts on.
public struct QueueText: Sendable {
  /// Groups that are shown; the rest is in JSON.
  private static let mostGroups = 50
  /// Recipients that are shown of one mail.
  private static let mostRecipients = 20

  private let columns: Int
  /// Seconds since 1970.
  private let now: Double

  public init(columns: Int = 79, now: Double) {
    self.columns = columns
    self.now = now
  }

  public func lines(_ summary: QueueSummary) -> [String] {
    guard summary.mails > 0 else { return summary.unread > 0 ? [unread(summary)] : ["nothing waits"] }
    var lines = [headline(summary)]
    let groups = summary.groups
    for group in groups.prefix(Self.mostGroups) { lines += self.lines(group) }
    if groups.count > Self.mostGroups || summary.ungrouped > 0 {
      let others = groups.dropFirst(Self.mostGroups).reduce(summary.ungrouped) { $0 + $1.recipients }
      lines += ["", fitted("and mail for \(others) more recipients; the other groups: --format json")]
    }
    if summary.unread > 0 { lines += ["", unread(summary)] }
    return lines
  }

  /// One mail, its recipients with the reasons, equal ones only once.
  public func lines(_ mail: QueuedMail) -> [String] {
    var lines = [
      fitted(
        "\(padded(mail.id, 15)) \(padded(mail.place.rawValue, 8)) \(padded(age(now - mail.arrived), 7)) "
          + "\(padded(bytes(mail.size), 8)) \(shown(mail.sender))")
    ]
    let recipients = mail.recipients.prefix(Self.mostRecipients)
    for (index, recipient) in recipients.enumerated() {
      lines.append(fitted("  to \(shown(recipient.address))"))
      let next = index + 1 < recipients.count ? recipients[index + 1].reason : nil
      if let reason = recipient.reason, reason != next { lines.append(fitted("     " + shown(reason))) }
    }
    let others = mail.recipients.count - Self.mostRecipients
    if others > 0 { lines.append("  and to \(others) more") }
    return lines
  }

  /// One mail in one line, for what is about to be changed.
  public func line(_ mail: QueuedMail) -> String {
    let others = mail.recipients.count > 1 ? " and \(mail.recipients.count - 1) more" : ""
    let to = mail.recipients.first.map { shown($0.address) } ?? "nobody"
    return fitted("  \(mail.id) from \(shown(mail.sender)) to \(to)\(others)")
  }

  private func headline(_ summary: QueueSummary) -> String {
    let count = "\(summary.mails) \(summary.mails == 1 ? "mail waits" : "mails wait")"
    let since = summary.oldest.map { ", the oldest for \(age(now - $0))" } ?? ""
    return fitted("\(count) (\(places(summary.places)))\(since)")
  }

  private func lines(_ group: QueueSummary.Group) -> [String] {
    var text = "\(group.mails) \(group.mails == 1 ? "mail" : "mails")"
    text += "\(group.mails == 1 ? "" : ", the oldest") for \(age(now - group.oldest))"
    // That it is deferred is said by the reason.
    if group.places.keys.contains(where: { $0 != .deferred }) { text += " (\(places(group.places)))" }
    let room = max(12, columns - text.count - 2)
    let name = group.destination.isEmpty ? "(nobody)" : shown(group.destination)
    return ["", fitted("\(name.count > room ? name.prefix(room - 3) + "..." : name)  \(text)")]
      + (group.reason.map { [fitted("  " + shown($0))] } ?? [])
  }

  private func unread(_ summary: QueueSummary) -> String {
    fitted("\(summary.unread) \(summary.unread == 1 ? "entry" : "entries") of postqueue cannot be understood")
  }

  private func places(_ places: [QueuedMail.Place: Int]) -> String {
    QueuedMail.Place.allCases.reversed().compactMap { place in
      places[place].map { "\($0) \(place == .hold ? "held" : place.rawValue)" }
    }.joined(separator: ", ")
  }

  private func bytes(_ count: Int64) -> String {
    switch count {
    case ..<1024: "\(count) B"
    case ..<(1 << 20): "\(count >> 10) KiB"
    default: "\(count >> 20) MiB"
    }
  }

  private func shown(_ text: String) -> String {
    // More than any line has, so that a long one costs nothing.
    visibleInLine(String(text.prefix(columns + 1)))
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func fitted(_ text: String) -> String {
    text.count > columns ? text.prefix(max(0, columns - 3)) + "..." : text
  }
}
