import CSystemd
import Glibc
import Linux

/// The journal could not be read.
public enum JournalError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No journal file is there that we may read.
  case noJournal
  /// A call of sd-journal failed with this positive `errno`.
  case failed(operation: String, errno: Int32)

  public var description: String {
    switch self {
    case .noJournal: "no readable journal"
    case .failed(let operation, let errno): "\(operation): \(errnoText(errno))"
    }
  }
}

/// The last messages of a unit, and systemd's about it, oldest first, each as `identifier: text` in one line.
///
/// Bytes that are not UTF-8 are replaced, control characters escaped; of a message's text at most 2 KiB are read.
/// - Parameters:
///   - sinceMicroseconds: only messages at or after this time, in microseconds since 1970.
///   - lines: how many messages at most.
public func journalTail(
  unit: UnitName, sinceMicroseconds: UInt64, lines: Int
) throws(JournalError) -> [String] {
  let journal = try Journal.open()
  try journal.match(unit: unit)
  return try journal.tail(sinceMicroseconds: sinceMicroseconds, lines: lines)
}

/// The local journal, open for reading.
struct Journal: ~Copyable {
  let raw: OpaquePointer

  private init(owning raw: OpaquePointer) { self.raw = raw }

  /// Opens the machine's journal, or the files of another directory.
  static func open(directory: String? = nil) throws(JournalError) -> Journal {
    var opened: OpaquePointer?
    try check(
      directory.map { sd_journal_open_directory(&opened, $0, 0) }
        ?? sd_journal_open(&opened, Int32(SD_JOURNAL_LOCAL_ONLY)),
      "open the journal")
    guard let opened else { throw .noJournal }
    let journal = Journal(owning: opened)
    if sd_journal_has_runtime_files(opened) <= 0, sd_journal_has_persistent_files(opened) <= 0, directory == nil {
      throw .noJournal
    }
    // Counts the name of the field too.
    try check(sd_journal_set_data_threshold(opened, 2048), "limit the journal's fields")
    return journal
  }

  deinit { sd_journal_close(raw) }

  /// What `journalctl --unit=` matches: messages of the unit's processes, systemd's about the unit, and other root
  /// daemons' about it.
  func match(unit: UnitName) throws(JournalError) {
    let name = unit.rawValue
    let alternatives = [
      ["_SYSTEMD_UNIT=\(name)"], ["_PID=1", "UNIT=\(name)"], ["_UID=0", "OBJECT_SYSTEMD_UNIT=\(name)"],
    ]
    for alternative in alternatives {
      for match in alternative {
        try Self.check(sd_journal_add_match(raw, match, match.utf8.count), "match \(match)")
      }
      try Self.check(sd_journal_add_disjunction(raw), "match \(name)")
    }
  }

  /// The last matching messages, oldest first.
  func tail(sinceMicroseconds: UInt64, lines: Int) throws(JournalError) -> [String] {
    try Self.check(sd_journal_seek_tail(raw), "find the journal's end")
    var messages: [String] = []
    while messages.count < lines, try Self.check(sd_journal_previous(raw), "read the journal") > 0 {
      var realtime: UInt64 = 0
      try Self.check(sd_journal_get_realtime_usec(raw, &realtime), "read the journal's time")
      if realtime < sinceMicroseconds { break }
      guard let text = field("MESSAGE") else { continue }
      messages.append(field("SYSLOG_IDENTIFIER").map { "\($0): \(text)" } ?? text)
    }
    return messages.reversed()
  }

  /// A field of the current entry; nil when it has none, or a damaged one.
  private func field(_ name: String) -> String? {
    var data: UnsafeRawPointer?
    var count = 0
    guard sd_journal_get_data(raw, name, &data, &count) >= 0 else { return nil }
    let bytes = UnsafeRawBufferPointer(start: data, count: count).dropFirst(name.utf8.count + 1)
    return escapeControlCharacters(String(decoding: bytes, as: UTF8.self))
  }

  @discardableResult
  static func check(_ result: Int32, _ operation: @autoclosure () -> String) throws(JournalError) -> Int32 {
    if result < 0 { throw .failed(operation: operation(), errno: -result) }
    return result
  }
}

/// Makes text from elsewhere safe for a terminal and one line long: `\n`, `\t`, `\x1b`, also for the C1 controls.
func escapeControlCharacters(_ text: String) -> String {
  var escaped = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control:
      switch scalar {
      case "\n": escaped += "\\n"
      case "\r": escaped += "\\r"
      case "\t": escaped += "\\t"
      default: escaped += "\\x" + hexadecimal(UInt8(truncatingIfNeeded: scalar.value))
      }
    // Line separators and the marks that turn the direction of text.
    case .format, .lineSeparator, .paragraphSeparator: escaped += "\\u{\(String(scalar.value, radix: 16))}"
    default: escaped.unicodeScalars.append(scalar)
    }
  }
  return escaped
}
