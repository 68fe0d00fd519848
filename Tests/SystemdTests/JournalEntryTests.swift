import Foundation
import Testing

@testable import Systemd

/// Against systemd's own journald, in a `/run` of its own.
@Suite(.enabled(if: geteuid() == 0, "only root can have a /run of its own"))
struct JournalEntryTests {
  static let entry = JournalEntry(
    "the vault is open", priority: .notice, messageID: "6b1d2f6a0f8e4d7c9a3b5c7d9e1f2a3b",
    fields: [("MAILBOOT_STATE", "ready"), ("MAILBOOT_TEXT", "two\nlines, ä\nPRIORITY=0\n"), ("MAILBOOT_EMPTY", "")])

  @Test func theJournalHoldsEachFieldUnchanged() throws {
    let (outcome, fields) = try withPrivateRun {
      let journald = try Journald()
      defer { journald.stop() }
      let outcome = Self.entry.write()
      return (outcome, try journald.entries(of: "6b1d2f6a0f8e4d7c9a3b5c7d9e1f2a3b", atLeast: 1))
    }
    #expect(outcome == .written)
    let entry = try #require(fields.first)
    #expect(entry["MESSAGE"] == "the vault is open")
    #expect(entry["PRIORITY"] == "5")
    #expect(entry["SYSLOG_IDENTIFIER"] == "mailboot")
    #expect(entry["MAILBOOT_STATE"] == "ready")
    #expect(entry["MAILBOOT_TEXT"] == "two\nlines, ä\nPRIORITY=0\n")
    #expect(entry["MAILBOOT_EMPTY"] == "")
    #expect(entry["_UID"] == "0")
  }

  @Test func whereThereIsNoJournalTheCallerLearnsIt() throws {
    #expect(try withPrivateRun { Self.entry.write() } == .noJournal)
  }
}

/// A journald in this thread's `/run`.
struct Journald {
  private let program: Program

  init() throws {
    try FileManager.default.createDirectory(atPath: "/run/systemd/journal", withIntermediateDirectories: true)
    program = try Program("/lib/systemd/systemd-journald")
    let listens = try eventually { access(JournalEntry.journalSocket, F_OK) == 0 ? true : nil }
    guard listens != nil else { throw CocoaError(.fileNoSuchFile) }
  }

  func stop() {
    program.process.terminate()
    program.process.waitUntilExit()
  }

  /// All entries with this MESSAGE_ID, as `journalctl` has them, as soon as there are so many.
  func entries(of messageID: String, atLeast count: Int) throws -> [[String: String]] {
    try eventually { () -> [[String: String]]? in
      let query = try Program("/usr/bin/journalctl", ["-o", "json", "--all", "--no-pager", "MESSAGE_ID=\(messageID)"])
      let lines = query.end().output.split(separator: "\n")
      guard lines.count >= count else { return nil }
      return lines.compactMap { line in
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return object?.compactMapValues { $0 as? String }
      }
    } ?? []
  }
}
