import Glibc
import MailbootCore
import Systemd

/// Our events in the machine's journal.
public enum HistoryReader {
  /// The newest entries, oldest first; for root and the groups `adm` and `systemd-journal`.
  public static func entries(newest: Int) throws(Failure) -> [HistoryEntry] {
    let records: [JournalRecord]
    do throws(JournalError) {
      records = try journalRecords(
        messageIDs: HistoryEntry.kinds.map(\.messageID), fields: ["MESSAGE_ID"] + HistoryEntry.fieldNames,
        newest: newest)
    } catch {
      if error == .noJournal && geteuid() != 0 { throw .notRoot(verb: "history") }
      throw .system("the history cannot be read: \(error)")
    }
    return records.compactMap { record in
      guard let kind = record.fields["MESSAGE_ID"].flatMap(EventKind.init(messageID:)) else { return nil }
      return HistoryEntry(
        kind: kind, at: Double(record.realtimeMicroseconds) / 1e6,
        sinceBoot: Double(record.monotonicMicroseconds) / 1e6, bootID: dashed(record.bootID), fields: record.fields)
    }
  }

  /// As the kernel writes a boot's id, and `status` shows it.
  private static func dashed(_ id: String) -> String {
    let digits = Array(id)
    guard digits.count == 32 else { return id }
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
  }
}
