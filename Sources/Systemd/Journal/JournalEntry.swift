import CSystemd
import Glibc

/// How much a message matters; the numbers of syslog(3).
public enum JournalPriority: Int32, Sendable {
  case emergency = 0
  case alert, critical, error, warning, notice, informational, debug
}

/// An entry for the journal, with fields of its own beside the text.
public struct JournalEntry: Equatable, Sendable {
  /// What became of an entry.
  public enum Outcome: Equatable, Sendable {
    case written
    /// No journal runs here.
    case noJournal
    /// It did not take the entry, with this positive `errno`.
    case failed(Int32)
  }

  public static let journalSocket = "/run/systemd/journal/socket"

  public var message: String
  public var priority: JournalPriority
  /// 128 bits as 32 lower-case hexadecimal digits: which kind of event this is.
  public var messageID: String?
  /// The name that `journalctl` shows in front, `SYSLOG_IDENTIFIER=`.
  public var identifier: String
  /// Further fields: names of upper-case ASCII letters, digits and `_`, beginning with a letter; any values, also of several lines.
  public var fields: [(String, String)]

  public init(
    _ message: String, priority: JournalPriority, messageID: String? = nil, identifier: String = "mailboot",
    fields: [(String, String)] = []
  ) {
    self.message = message
    self.priority = priority
    self.messageID = messageID
    self.identifier = identifier
    self.fields = fields
  }

  public static func == (left: JournalEntry, right: JournalEntry) -> Bool {
    left.items == right.items
  }

  /// `NAME=value`, each.
  private var items: [String] {
    var items = ["MESSAGE=\(message)", "PRIORITY=\(priority.rawValue)", "SYSLOG_IDENTIFIER=\(identifier)"]
    if let messageID { items.append("MESSAGE_ID=\(messageID)") }
    return items + fields.map { "\($0.0)=\($0.1)" }
  }

  /// Hands it to the journal. Waits only while the journal's queue is full.
  @discardableResult
  public func write() -> Outcome {
    // libsystemd takes a missing journal for success.
    guard access(Self.journalSocket, F_OK) == 0 else { return .noJournal }
    // All items in one piece of memory, so that each pointer into it holds for the whole call.
    var bytes: [UInt8] = []
    var ends: [Int] = []
    for item in items {
      bytes += Array(item.utf8)
      ends.append(bytes.count)
    }
    let result = bytes.withUnsafeMutableBytes { buffer in
      var begin = 0
      let vectors = ends.map { end in
        defer { begin = end }
        return iovec(iov_base: buffer.baseAddress.map { $0 + begin }, iov_len: end - begin)
      }
      return sd_journal_sendv(vectors, Int32(vectors.count))
    }
    return result < 0 ? .failed(-result) : .written
  }
}
