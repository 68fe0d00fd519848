import CSystemd
import Glibc

/// An entry read from the journal.
public struct JournalRecord: Equatable, Sendable {
  /// What was asked for and is there, by name; bytes that are not UTF-8 are replaced.
  public var fields: [String: String]
  /// Microseconds since 1970, as the clock was set then.
  public var realtimeMicroseconds: UInt64
  /// Microseconds since the boot `bootID`.
  public var monotonicMicroseconds: UInt64
  /// 32 hexadecimal digits.
  public var bootID: String
}

/// The newest entries with one of these `MESSAGE_ID`s, oldest first.
///
/// Only entries that a process of root wrote: anybody may write what looks like ours. What the caller may not read is left out
/// without a word; the machine's journal is for root and the groups `adm` and `systemd-journal`.
/// - Parameters:
///   - names: the fields to read; of each at most 64 KiB.
///   - newest: how many at most.
///   - directory: other journal files than this machine's.
public func journalRecords(
  messageIDs: [String], fields names: [String], newest: Int, directory: String? = nil
) throws(JournalError) -> [JournalRecord] {
  let journal = try Journal.open(directory: directory)
  return try journal.records(messageIDs: messageIDs, fields: names, newest: newest, writtenBy: 0)
}

extension Journal {
  func records(
    messageIDs: [String], fields names: [String], newest: Int, writtenBy user: uid_t
  ) throws(JournalError) -> [JournalRecord] {
    try Self.check(sd_journal_set_data_threshold(raw, 65536), "limit the journal's fields")
    // Matches of one field are alternatives, those of several must all hold.
    for match in messageIDs.map({ "MESSAGE_ID=\($0)" }) + ["_UID=\(user)"] {
      try Self.check(sd_journal_add_match(raw, match, match.utf8.count), "match \(match)")
    }
    try Self.check(sd_journal_seek_tail(raw), "find the journal's end")
    var records: [JournalRecord] = []
    while records.count < newest, try Self.check(sd_journal_previous(raw), "read the journal") > 0 {
      var realtime: UInt64 = 0
      var monotonic: UInt64 = 0
      var boot = sd_id128_t()
      try Self.check(sd_journal_get_realtime_usec(raw, &realtime), "read the journal's time")
      try Self.check(sd_journal_get_monotonic_usec(raw, &monotonic, &boot), "read the journal's time")
      var fields: [String: String] = [:]
      for name in names { fields[name] = text(of: name) }
      records.append(
        JournalRecord(
          fields: fields, realtimeMicroseconds: realtime, monotonicMicroseconds: monotonic,
          bootID: withUnsafeBytes(of: &boot) { $0.map { hexadecimal($0 as UInt8) }.joined() }))
    }
    return records.reversed()
  }

  /// A field of the current entry, unchanged; nil when it has none, or a damaged one.
  private func text(of name: String) -> String? {
    var data: UnsafeRawPointer?
    var count = 0
    guard sd_journal_get_data(raw, name, &data, &count) >= 0 else { return nil }
    let bytes = UnsafeRawBufferPointer(start: data, count: count).dropFirst(name.utf8.count + 1)
    return String(decoding: bytes, as: UTF8.self)
  }
}
