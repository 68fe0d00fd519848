import Foundation
import SQLite
import TestSupport
import Testing
import Text

@testable import MailAccounts

/// How much others notice of a commit. Postfix reads as the reader here does: with no busy timeout.
@Suite(.serialized) struct ShortLockTests {
  private func users(_ numbers: ClosedRange<Int>) -> [ImportRow] {
    numbers.map { .user(ImportedUser(email: "u\($0 &* 7919 % 100_003)@example.org", passwordHash: someHash.text)) }
  }

  /// SQLite's answer to SQLITE_BUSY at a COMMIT is to repeat it.
  @Test func aCommitThatAReaderHeldUpIsUndoneAndRepeatingItIsAnError() throws {
    let fixture = try DatabaseFixture.old()
    let reader = try SQLiteConnection(path: fixture.path, access: .readOnly, busyMilliseconds: 0)
    try reader.execute("BEGIN")
    #expect(try reader.column("SELECT count(*) FROM domains") == ["1"])
    let writer = try SQLiteConnection(path: fixture.path, access: .readWriteShortly, busyMilliseconds: 0)
    try writer.execute("BEGIN IMMEDIATE; INSERT INTO domains (name) VALUES ('lost.example')")
    let before = fixture.bytes
    let first = #expect(throws: SQLiteFailure.self) { try writer.execute("COMMIT") }
    #expect(first?.kind == .busy)
    #expect(throws: SQLiteFailure.self) { try writer.execute("COMMIT") }
    #expect(fixture.bytes == before)
    try reader.execute("COMMIT")
    #expect(try fixture.column("SELECT name FROM domains") == ["example.org"])
    try writer.execute("BEGIN IMMEDIATE; INSERT INTO domains (name) VALUES ('example.net'); COMMIT")
    #expect(try fixture.column("SELECT name FROM domains ORDER BY id") == ["example.org", "example.net"])
    #expect(try fixture.column("PRAGMA integrity_check") == ["ok"])
    #expect(!FileManager.default.fileExists(atPath: fixture.path + "-journal"))
  }

  @Test func whoeverReadsForLongKeepsTheChangeWaitingButNoOtherReader() throws {
    let fixture = try DatabaseFixture.old()
    let before = fixture.bytes
    let long = try SQLiteConnection(path: fixture.path, access: .readOnly, busyMilliseconds: 0)
    try long.execute("BEGIN")
    _ = try long.column("SELECT count(*) FROM users")
    let reader = try DatabaseReader(fixture.path)
    guard case .database(.busy, _)? = try fixture.refusal(of: .addDomain(DomainName("example.net"))) else {
      Issue.record("the change was made under a reader")
      return
    }
    reader.stop()
    #expect(fixture.bytes == before)
    #expect(reader.answers > reader.refusals / 4, "\(reader.answers) answers, \(reader.refusals) refusals")
    try long.execute("COMMIT")
    #expect(try fixture.perform(.addDomain(DomainName("example.net"))).changes.count == 1)
    #expect(try fixture.column("PRAGMA integrity_check") == ["ok"])
  }

  @Test func manyChangesOfAllKindsLeaveASoundDatabase() throws {
    let fixture = try DatabaseFixture.old()
    for round in 0..<40 {
      try fixture.importing(users((round * 150 + 1)...(round * 150 + 300)))
      try fixture.perform(.addDomain(DomainName("d\(round).example")))
      try fixture.perform(.user("x\(round)@d\(round).example", limits: Limits(quota: 1)))
      if round % 3 == 0 { try fixture.perform(.removeDomain("d\(round).example")) }
      #expect(try fixture.column("PRAGMA integrity_check") == ["ok"])
    }
  }
}
