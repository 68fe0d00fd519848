/// What waits in the queue, by destination and reason. However many mails there are, it has a limited size.
public struct QueueSummary: Sendable {
  /// Mails for one destination that wait for one reason.
  public struct Group: Equatable, Sendable {
    public var destination: String
    /// Of the mail that has waited longest, whole; nil: nobody has tried to deliver it.
    public var reason: String?
    public var mails = 0
    public var recipients = 0
    /// When the oldest of them arrived, seconds since 1970.
    public var oldest: Double
    public var places: [QueuedMail.Place: Int] = [:]
  }

  private struct Key: Hashable {
    var destination: String
    var reason: String?
  }

  /// Groups that are told apart; mails for others are only counted.
  private static let mostGroups = 10_000

  private var byKey: [Key: Group] = [:]
  public private(set) var mails = 0
  public private(set) var recipients = 0
  /// In bytes.
  public private(set) var size: Int64 = 0
  public private(set) var oldest: Double?
  public private(set) var places: [QueuedMail.Place: Int] = [:]
  /// Recipients in none of the groups, as there are too many.
  public private(set) var ungrouped = 0
  /// Mails of which nothing can be said.
  public var unread = 0

  public init() {}

  public mutating func add(_ mail: QueuedMail) {
    mails += 1
    recipients += mail.recipients.count
    size = size.addingReportingOverflow(max(0, mail.size)).partialValue
    oldest = min(oldest ?? mail.arrived, mail.arrived)
    places[mail.place, default: 0] += 1
    var seen: Set<Key> = []
    for recipient in mail.recipients {
      let key = Key(destination: recipient.destination, reason: recipient.reason.map(withoutParticulars))
      guard var group = byKey[key] ?? newGroup(recipient, mail) else {
        ungrouped += 1
        continue
      }
      group.recipients += 1
      if seen.insert(key).inserted {
        group.mails += 1
        group.places[mail.place, default: 0] += 1
      }
      if mail.arrived < group.oldest {
        group.oldest = mail.arrived
        group.reason = recipient.reason
      }
      byKey[key] = group
    }
  }

  private func newGroup(_ recipient: QueuedMail.Recipient, _ mail: QueuedMail) -> Group? {
    guard byKey.count < Self.mostGroups else { return nil }
    return Group(destination: recipient.destination, reason: recipient.reason, oldest: mail.arrived)
  }

  /// Most mails first, then the oldest.
  public var groups: [Group] {
    byKey.values.sorted {
      ($1.mails, $0.oldest, $0.destination, $0.reason ?? "") < ($0.mails, $1.oldest, $1.destination, $1.reason ?? "")
    }
  }
}

/// A reason without what is another for each mail, recipient or server (addresses, hosts, names of sessions): by the whole text every
/// mail to a large provider would be a group of its own. Short numbers stay, as the codes of replies are among them.
func withoutParticulars(_ reason: String) -> String {
  reason.split(separator: " ").map { word in
    let isParticular =
      word.contains("@") || word.utf8.count > 8 && word.utf8.contains { (0x30...0x39).contains($0) }
    return isParticular ? "*" : word
  }.joined(separator: " ")
}
