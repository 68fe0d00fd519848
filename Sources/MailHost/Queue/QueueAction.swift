/// What is done with mails in the queue.
public enum QueueAction: String, Sendable {
  case hold, release, delete

  /// Which mails are meant.
  public enum Selection: Equatable, Sendable {
    case ids(Set<String>)
    case deferred
    case all
  }

  /// Whether a mail is among them. To hold what is held, or release what is not, is not meant.
  public func takes(_ mail: QueuedMail, _ selection: Selection) -> Bool {
    switch selection {
    case .ids(let ids): ids.contains(mail.id)
    case .deferred: mail.place == .deferred
    case .all: places.contains(mail.place)
    }
  }

  /// Why it cannot be done with a mail that was named; nil: it can.
  public func refusal(of mail: QueuedMail) -> String? {
    if places.contains(mail.place) { return nil }
    switch self {
    case .hold where mail.place == .hold: return "\(mail.id) is on hold already"
    case .release: return "\(mail.id) is not on hold"
    default: return "\(mail.id) is not in the queue yet"
    }
  }

  private var places: Set<QueuedMail.Place> {
    switch self {
    case .hold: [.incoming, .active, .deferred]
    case .release: [.hold]
    case .delete: [.incoming, .active, .deferred, .hold]
    }
  }

  /// The option of postsuper(1).
  public var postsuperOption: String {
    switch self {
    case .hold: "-h"
    case .release: "-H"
    case .delete: "-d"
    }
  }

  /// What has happened to the mails.
  public var past: String {
    switch self {
    case .hold: "put on hold"
    case .release: "released"
    case .delete: "deleted"
    }
  }

  /// How many postsuper says it has changed; in its last lines it says `postsuper: Deleted: 3 messages`. Nil: it says nothing of it.
  public func count(inReport report: String) -> Int? {
    let word =
      switch self {
      case .hold: "Placed on hold:"
      case .release: "Released from hold:"
      case .delete: "Deleted:"
      }
    for line in report.split(separator: "\n").reversed() {
      let words = line.split(separator: " ")
      guard words.first == "postsuper:", line.dropFirst(11).hasPrefix(word), let number = words.dropLast().last else {
        continue
      }
      return Int(number)
    }
    return nil
  }
}
