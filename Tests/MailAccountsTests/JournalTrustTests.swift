import Foundation
import SQLite
import Testing

@testable import MailAccounts

/// Journals that others have left: root, who reads such a database, does what they say as little as possible.
@Suite struct JournalTrustTests {
  /// A hot journal of a transaction of several files, of which `victim` would be the super-journal
  /// (https://www.sqlite.org/fileformat2.html#the_rollback_journal).
  private func journal(naming victim: String) -> Data {
    func number(_ value: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
    }
    let magic: [UInt8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]
    // No record, so nothing to undo; the size of the database is its size.
    var header = magic + number(0) + number(1) + number(0) + number(512) + number(4096)
    header += Array(repeating: 0, count: 512 - header.count)
    let name = Array(victim.utf8)
    let sum = name.reduce(UInt32(0)) { $0 &+ UInt32(bitPattern: Int32(Int8(bitPattern: $1))) }
    // The page that holds the lock bytes has no record: its number marks the name.
    return Data(header + number(1 << 30 / 4096 + 1) + name + number(UInt32(name.count)) + number(sum) + magic)
  }

  private func hot(naming victim: String, _ fixture: DatabaseFixture) throws {
    var bytes = journal(naming: victim)
    // The size of the database, in pages: else it would be cut off.
    let pages = UInt32(fixture.bytes.count / 4096)
    bytes.replaceSubrange(16..<20, with: (0..<4).map { UInt8(truncatingIfNeeded: pages >> (24 - 8 * UInt32($0))) })
    try bytes.write(to: URL(fileURLWithPath: fixture.path + "-journal"))
  }

  @Test func noFileThatAJournalNamesIsTouched() throws {
    for access in [AccountDatabase.Access.read, .change] {
      let fixture = try DatabaseFixture.old()
      let victim = fixture.directory + "/victim.conf"
      try "precious".write(toFile: victim, atomically: true, encoding: .utf8)
      try hot(naming: victim, fixture)
      var names: [String] = []
      try fixture.open(access).domains { names.append($0.name) }
      #expect(names == ["example.org"])
      #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
      #expect(!FileManager.default.fileExists(atPath: fixture.path + "-journal"), "it was hot, and is undone")
    }
  }

  /// What the test above is worth.
  @Test func sqliteAloneDeletesIt() throws {
    let fixture = try DatabaseFixture.old()
    let victim = fixture.directory + "/victim.conf"
    try "precious".write(toFile: victim, atomically: true, encoding: .utf8)
    try hot(naming: victim, fixture)
    try SQLiteConnection(path: fixture.path, access: .readWrite, busyMilliseconds: 0).touch()
    #expect(!FileManager.default.fileExists(atPath: victim))
  }

  /// In a directory such as /tmp everybody may put a journal beside root's file.
  @Test func aJournalThatAnybodyCanHaveMadeIsNotPlayedBack() throws {
    let fixture = try DatabaseFixture.old()
    let before = fixture.bytes
    try hot(naming: "/nowhere", fixture)
    #expect(chmod(fixture.directory, 0o1777) == 0)
    for access in [AccountDatabase.Access.read, .change] {
      let error = #expect(throws: AccountError.self) { try fixture.open(access).domains { _ in } }
      #expect(error == .database(.foreignJournal, path: fixture.path), "\(String(describing: error))")
    }
    #expect(fixture.bytes == before && FileManager.default.fileExists(atPath: fixture.path + "-journal"))
    // Without one it is used as ever.
    unlink(fixture.path + "-journal")
    #expect(try fixture.perform(.addDomain(DomainName("example.net"))).changes.count == 1)
  }

  /// Whoever presses TAB does not want anything written.
  @Test func aLookUndoesNothing() throws {
    let fixture = try DatabaseFixture.old()
    try hot(naming: "/nowhere", fixture)
    #expect(throws: AccountError.self) { try fixture.open(.look).domains { _ in } }
    #expect(FileManager.default.fileExists(atPath: fixture.path + "-journal"))
  }
}
