import JSON

/// One mail in postfix's queue, as a line of `postqueue -j` has it.
public struct QueuedMail: Equatable, Sendable {
  /// The directory of the queue that it is in; postqueue(1).
  public enum Place: String, Sendable, CaseIterable {
    case maildrop, incoming, active, deferred, hold
  }

  public struct Recipient: Equatable, Sendable {
    public var address: String
    /// Why it has not been delivered; nil: nobody has tried.
    public var reason: String?

    public init(address: String, reason: String? = nil) {
      self.address = address
      self.reason = reason
    }

    /// The domain in lower case; of a local user the name alone.
    public var destination: String {
      guard let at = address.lastIndex(of: "@") else { return address }
      return address[address.index(after: at)...].lowercased()
    }
  }

  /// Letters and digits, nothing else: it becomes an argument of postfix's programs.
  public var id: String
  public var place: Place
  /// Seconds since 1970.
  public var arrived: Double
  /// In bytes.
  public var size: Int64
  /// `MAILER-DAEMON`: a bounce.
  public var sender: String
  public var recipients: [Recipient]

  public init(
    id: String, place: Place, arrived: Double, size: Int64, sender: String, recipients: [Recipient]
  ) {
    self.id = id
    self.place = place
    self.arrived = arrived
    self.size = size
    self.sender = sender
    self.recipients = recipients
  }

  /// Bytes kept of a reason; postfix's own are shorter, other servers say what they like.
  private static let longestReason = 4096

  /// Nil when the line is nothing that postqueue of 3.7 or 3.10 writes.
  public init?(line: [UInt8]) {
    guard let json = JSONText(parsing: line) ?? JSONText(parsing: Self.mended(line)),
      let id = json["queue_id"]?.text, Self.isID(id),
      let place = json["queue_name"]?.text.flatMap(Place.init(rawValue:)),
      let arrived = json["arrival_time"]?.number, let items = json["recipients"]?.items
    else { return nil }
    self.init(
      id: id, place: place, arrived: arrived, size: json["message_size"]?.number.flatMap { Int64(exactly: $0) } ?? 0,
      sender: json["sender"]?.text ?? "",
      recipients: items.compactMap { item in
        item["address"]?.text.map { Recipient(address: $0, reason: item["delay_reason"]?.text.flatMap(Self.reason)) }
      })
  }

  /// Whether a text may be a mail's name in the queue: postfix's short and long ones have at most some twenty characters.
  public static func isID(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isLetterOrDigit)
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  private static func reason(_ text: String) -> String? {
    if text.isEmpty { return nil }
    guard text.utf8.count > longestReason else { return text }
    return String(decoding: text.utf8.prefix(longestReason), as: UTF8.self)
  }

  /// Addresses and answers of servers are bytes that anybody has chosen: what is no UTF-8, or may not stand in JSON, becomes harmless.
  private static func mended(_ line: [UInt8]) -> [UInt8] {
    Array(String(decoding: line, as: UTF8.self).utf8).map { $0 < 0x20 ? UInt8(ascii: "?") : $0 }
  }
}
