import Foundation
import Testing

@testable import Systemd

/// Against systemd's own journald, in a `/run` of its own.
@Suite(.enabled(if: geteuid() == 0, "only root can have a /run of its own"))
struct JournalReaderTests {
  private static let first = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
  private static let second = "b1b2c3d4e5f60718293a4b5c6d7e8f90"
  private static let other = "c1b2c3d4e5f60718293a4b5c6d7e8f90"

  private static func write(_ message: String, _ id: String, _ fields: [(String, String)] = []) throws {
    let entry = JournalEntry(message, priority: .informational, messageID: id, fields: fields)
    guard entry.write() == .written else { throw CocoaError(.fileWriteUnknown) }
  }

  private static func read(_ count: Int, newest: Int = 100) throws -> [JournalRecord] {
    try eventually { () -> [JournalRecord]? in
      let records = try journalRecords(
        messageIDs: [first, second], fields: ["MESSAGE", "MESSAGE_ID", "MAILBOOT_TEXT"], newest: newest)
      return records.count >= count ? records : nil
    } ?? []
  }

  @Test func theNewestOfTheWantedEntriesComeOldestFirst() throws {
    let begun = Date().timeIntervalSince1970
    let long = String(repeating: "ä\n", count: 4000)
    let (all, two) = try withPrivateRun {
      let journald = try Journald()
      defer { journald.stop() }
      try Self.write("one", Self.first, [("MAILBOOT_TEXT", long)])
      try Self.write("not wanted", Self.other)
      try Self.write("two", Self.second)
      try Self.write("three", Self.first)
      return (try Self.read(3), try Self.read(2, newest: 2))
    }
    #expect(all.map { $0.fields["MESSAGE"] } == ["one", "two", "three"])
    #expect(all.map { $0.fields["MESSAGE_ID"] } == [Self.first, Self.second, Self.first])
    #expect(all.map { $0.fields["MAILBOOT_TEXT"] } == [long, nil, nil])
    #expect(two.map { $0.fields["MESSAGE"] } == ["two", "three"])
    let bootID = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
      .replacingOccurrences(of: "-", with: "").trimmingCharacters(in: .whitespacesAndNewlines)
    for record in all {
      #expect(record.bootID == bootID)
      #expect(abs(Double(record.realtimeMicroseconds) / 1e6 - begun) < 60)
      #expect(record.monotonicMicroseconds > 0)
    }
  }

  @Test func entriesOfOthersThanRootDoNotCount() throws {
    let messages = try withPrivateRun {
      let journald = try Journald()
      defer { journald.stop() }
      let forged = "MESSAGE=forged\nMESSAGE_ID=\(Self.first)\n_UID=0\n"
      guard try sendDatagram(Array(forged.utf8), to: JournalEntry.journalSocket, asUser: 65534) == 0 else {
        throw CocoaError(.fileWriteUnknown)
      }
      _ = try journald.entries(of: Self.first, atLeast: 1)
      try Self.write("genuine", Self.first)
      return try Self.read(1).map { $0.fields["MESSAGE"] }
    }
    #expect(messages == ["genuine"])
  }

  @Test func noJournalIsATypedError() throws {
    let error = try withPrivateRun { () -> JournalError? in
      do throws(JournalError) {
        _ = try journalRecords(messageIDs: [Self.first], fields: ["MESSAGE"], newest: 1)
      } catch { return error }
      return nil
    }
    #expect(error == .noJournal)
  }
}
