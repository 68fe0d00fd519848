import JSON
import Text

/// What one account has sent in the last 24 hours, and what of it was put off.
public struct SendingCounts: Equatable, Sendable {
  /// A limit that the account has reached.
  public struct Reached: Equatable, Sendable {
    public var limit: SendingLimit
    /// Seconds since 1970, of the first mail that was put off for it; nil: mail has been taken since.
    public var since: Double?
    /// Of the last one.
    public var last: Double
    /// When the administrator was told last; nil: never.
    public var told: Double?

    public init(limit: SendingLimit, since: Double?, last: Double, told: Double? = nil) {
      self.limit = limit
      self.since = since
      self.last = last
      self.told = told
    }
  }

  /// The login, in small letters.
  public var user: String
  public var messages: Int
  public var recipients: Int
  /// Recipients to whom it had not sent in the year before.
  public var newRecipients: Int
  /// How often mail was put off.
  public var refused: Int
  public var reached: [Reached]

  public init(
    user: String, messages: Int = 0, recipients: Int = 0, newRecipients: Int = 0, refused: Int = 0,
    reached: [Reached] = []
  ) {
    self.user = user
    self.messages = messages
    self.recipients = recipients
    self.newRecipients = newRecipients
    self.refused = refused
    self.reached = reached
  }

  public var isEmpty: Bool { messages == 0 && recipients == 0 && newRecipients == 0 && refused == 0 && reached.isEmpty }
  /// What it cannot send now for.
  public var blocks: [Reached] { reached.filter { $0.since != nil } }

  /// An account as ``SendingScripts/counts`` has it; nil: it is something else.
  init?(_ json: JSONText, now: Double) {
    guard let user = json["user"]?.text, let fields = json["fields"]?.items?.compactMap(\.text), fields.count % 2 == 0
    else { return nil }
    self.init(user: user)
    let hour = Int(now / 3600)
    var times: [String: Double] = [:]
    for index in stride(from: 0, to: fields.count, by: 2) {
      let parts = fields[index].split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      if let at = Int(parts[1]), at > hour - 24, at <= hour + 1, let count = Int(fields[index + 1]) {
        switch parts[0] {
        case "m": messages += count
        case "r": recipients += count
        case "n": newRecipients += count
        case "x": refused += count
        default: continue
        }
      } else {
        times[fields[index]] = Double(fields[index + 1])
      }
    }
    for limit in SendingLimit.allCases {
      guard let last = times["last:\(limit.rawValue)"], last > now - 86400, last < now + 3600 else { continue }
      reached.append(
        Reached(
          limit: limit, since: times["since:\(limit.rawValue)"], last: last, told: times["told:\(limit.rawValue)"]))
    }
  }

  /// What redis has answered to ``SendingScripts/counts``: a line for each account; nil: it is something else.
  public static func list(_ text: String, now: Double) -> [SendingCounts]? {
    var counts: [SendingCounts] = []
    for line in text.split(separator: "\n") {
      guard let json = JSONText(parsing: Array(line.utf8)), let one = SendingCounts(json, now: now) else { return nil }
      counts.append(one)
    }
    return counts.sorted { $0.user < $1.user }
  }
}

extension SendingCounts {
  /// Version 1 of the contract.
  public func json(_ limits: HostSettings.Limits) -> JSONText {
    func most(_ limit: SendingLimit) -> JSONText {
      let most = limit.most(limits)
      return most == 0 ? .null : .integer(Int64(most))
    }
    return .object([
      ("user", .string(user)),
      ("messages", .integer(Int64(messages))),
      ("recipients", .integer(Int64(recipients))),
      ("new_recipients", .integer(Int64(newRecipients))),
      ("refused", .integer(Int64(refused))),
      (
        "limits",
        .object(SendingLimit.allCases.map { ($0.key, $0 == .burst && limits.recipientsPerDay == 0 ? .null : most($0)) })
      ),
      (
        "reached",
        .array(
          reached.map {
            .object([
              ("limit", .string($0.limit.key)), ("since", $0.since.map { .string(timestamp($0)) } ?? .null),
              ("last", .string(timestamp($0.last))),
            ])
          })
      ),
    ])
  }
}
