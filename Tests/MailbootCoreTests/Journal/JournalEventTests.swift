import Foundation
import JSON
import TestSupport
import Testing

@testable import MailbootCore

@Suite struct JournalEventTests {
  static let alice = JournalEvent.Actor(by: "alice", via: .agent)
  static let run = JournalEvent.Run(
    seconds: 14.25,
    steps: [
      StepRecord(name: "open", outcome: .changed, seconds: 2.5, began: 0),
      StepRecord(name: "check database", outcome: .failed, seconds: 0.5, began: 3),
      StepRecord(name: "rspamd", outcome: .changed, seconds: 11, began: 3.25),
    ])
  static let failure = Failure.rollback(of: .mount(.notEmpty(["spool"]), path: "/vault"), trouble: ["close\nvault-blk"])

  /// One of each kind.
  static let events: [JournalEvent] = [
    .waiting(since: 0), .reminder(locked: 7201, refused: 1), .unlockBegun(alice),
    .passphraseRefused(alice, count: 2, delay: 4), .unlockFinished(alice, run), .unlockFailed(alice, run, failure),
    .lockBegun(by: "root", emergency: true), .keyRevoked(by: "root", seconds: 0.3),
    .lockFinished(by: "root", emergency: false, run), .lockFailed(by: "root", emergency: true, run, failure),
    .degraded(why: ["dovecot is failed", "rspamd does not answer"]), .recovered(seconds: 30),
    .serviceFailed("dovecot", why: "killed"), .serviceRecovered("dovecot", seconds: 5),
    .notifyFailed(script: "ntfy", why: "exit code 6"), .notifyTimedOut(script: "ntfy", seconds: 30),
    .guardInstalled(units: ["postfix@-.service", "dovecot.service"]), .guardRemoved(units: ["dovecot.service"]),
  ]

  @Test func everyKindIsTried() { #expect(Set(Self.events.map(\.kind)) == Set(EventKind.allCases)) }

  @Test func theIDsAreDifferentAndWellFormed() {
    let ids = EventKind.allCases.map(\.messageID)
    #expect(Set(ids).count == ids.count)
    for id in ids {
      #expect(id.count == 32 && id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
      #expect(EventKind(messageID: id)?.messageID == id)
    }
    #expect(EventKind(messageID: String(repeating: "0", count: 32)) == nil)
  }

  @Test(arguments: events) func theFieldsAreOnesTheJournalTakes(_ event: JournalEvent) {
    #expect(event.fields.first.map { $0 == ("MAILBOOT_EVENT", event.kind.rawValue) } == true)
    #expect(Set(event.fields.map(\.0)).count == event.fields.count)
    for (name, _) in event.fields {
      #expect(name.hasPrefix("MAILBOOT_") && name.count <= 64)
      #expect(name.allSatisfy { $0 == "_" || ("A"..."Z").contains($0) })
    }
    #expect(!event.message.isEmpty)
  }

  @Test func theMessagesSayWhoWhatAndHow() {
    #expect(
      Self.events.map(\.message) == [
        "the vault is locked since 1970-01-01T00:00:00Z, waiting for its passphrase",
        "the vault is still locked, for 2 h; 1 passphrase was refused",
        "unlock begun by alice (agent)",
        "passphrase refused, the 2nd since the boot, given by alice (agent); the next one in 4 s",
        "unlocked by alice (agent) in 14.3 s",
        "unlock by alice (agent) failed at check database: the mount point /vault is not empty: spool;"
          + " and taking it back failed: close vault-blk",
        "emergency lock begun by root",
        "emergency lock by root: the key is gone after 0.3 s",
        "locked by root in 14.3 s",
        "emergency lock by root failed at check database: the mount point /vault is not empty: spool;"
          + " and taking it back failed: close vault-blk",
        "degraded: dovecot is failed; rspamd does not answer",
        "ready again after 30 s",
        "dovecot failed: killed",
        "dovecot answers again after 5 s",
        "notification ntfy failed: exit code 6",
        "notification ntfy did not end within 30 s and was ended",
        "guarded: postfix@-.service, dovecot.service",
        "guarded no more: dovecot.service",
      ])
  }

  @Test(arguments: [
    (1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st"), (113, "113th"),
  ])
  func refusalsAreCounted(_ count: Int, _ words: String) {
    let event = JournalEvent.passphraseRefused(Self.alice, count: count, delay: nil)
    #expect(event.message == "passphrase refused, the \(words) since the boot, given by alice (agent)")
  }

  @Test func aFailureCarriesItsCodePlaceAndSteps() {
    let fields = Dictionary(uniqueKeysWithValues: Self.events[5].fields)
    #expect(fields["MAILBOOT_CODE"] == "12")
    #expect(fields["MAILBOOT_STEP"] == "check database")
    #expect(fields["MAILBOOT_USER"] == "alice")
    #expect(fields["MAILBOOT_VIA"] == "agent")
    #expect(fields["MAILBOOT_SECONDS"] == "14.250")
    #expect(fields["MAILBOOT_REASON"]?.contains("close\nvault-blk") == true)
    let steps = JSONText(parsing: Array((fields["MAILBOOT_STEPS"] ?? "").utf8))?.items ?? []
    #expect(steps.compactMap { $0.value(StepRecord.self) } == Self.run.steps)
    #expect(fields["MAILBOOT_STEPS"]?.contains("\n") == false)
  }
}

/// `systemd/mailboot.catalog`, which explains each entry to whoever runs `journalctl -x`.
@Suite struct CatalogTests {
  private static let path = repositoryFile("systemd/mailboot.catalog").standardizedFileURL.path

  private static func entries() throws -> [String: String] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let parts = text.components(separatedBy: "\n-- ").dropFirst()
    return Dictionary(uniqueKeysWithValues: parts.map { (String($0.prefix(32)), String($0.dropFirst(32))) })
  }

  @Test func everyEventIsExplainedAndNothingElse() throws {
    #expect(Set(try Self.entries().keys) == Set(EventKind.allCases.map(\.messageID)))
  }

  @Test(arguments: JournalEventTests.events)
  func anExplanationShowsOnlyFieldsThatTheEntryHas(_ event: JournalEvent) throws {
    let text = try #require(Self.entries()[event.kind.messageID])
    let shown = Set(text.matches(of: /@([A-Z_]+)@/).map { String($0.output.1) })
    #expect(shown.subtracting(event.fields.map(\.0)) == [])
    #expect(text.contains("Subject: ") && text.contains("Defined-By: mailboot"))
  }

  @Test func systemdTakesTheCatalog() throws {
    let root = NSTemporaryDirectory() + "/mailboot-catalog.\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    for directory in ["usr/lib/systemd/catalog", "var/lib/systemd/catalog"] {
      try FileManager.default.createDirectory(atPath: "\(root)/\(directory)", withIntermediateDirectories: true)
    }
    try FileManager.default.copyItem(atPath: Self.path, toPath: "\(root)/usr/lib/systemd/catalog/mailboot.catalog")
    #expect(try journalctl("--root=\(root)", "--update-catalog") == "")
    let listed = try journalctl("--root=\(root)", "--list-catalog").split(separator: "\n").map { $0.prefix(32) }
    #expect(Set(listed) == Set(EventKind.allCases.map { $0.messageID[...] }))
  }

  private func journalctl(_ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/journalctl")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text)")
    return text
  }
}
