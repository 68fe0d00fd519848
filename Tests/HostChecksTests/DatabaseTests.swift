import CSQLite
import Foundation
import HostChecks
import MailbootCore
import TestSupport
import Testing

@Suite("Account database")
struct DatabaseTests {
  @Test func soundDatabaseIsCountedAndSampled() throws {
    let reply = try DatabaseFixture().check()
    #expect(reply.finding == Finding(sound: .database, "2 domains, 2 users, 2 aliases"))
    #expect(reply.domains == ["example.net", "example.org"])
    #expect(reply.users == ["ann@example.org"])
    #expect(reply.aliases == ["post@example.org"])
  }

  @Test func checkLeavesFileAndDirectoryAsTheyWere() throws {
    let fixture = try DatabaseFixture()
    let before = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    _ = fixture.check()
    #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == before)
    #expect(try fixture.directory.names() == ["maildb.sqlite3"])
  }

  @Test func newDatabaseWithoutRowsIsSound() throws {
    let reply = try DatabaseFixture(sql: DatabaseFixture.schema).check()
    #expect(reply.finding == Finding(sound: .database, "0 domains, 0 users, 0 aliases"))
    #expect(reply.domains.isEmpty && reply.users.isEmpty && reply.aliases.isEmpty)
  }

  @Test func moreColumnsAndTablesAreTolerated() throws {
    let fixture = try DatabaseFixture()
    try fixture.change("ALTER TABLE users ADD COLUMN quota INTEGER; CREATE TABLE notes(text TEXT)")
    #expect(fixture.check().finding.sound)
  }

  @Test func missingFileIsNamed() throws {
    let fixture = try DatabaseFixture()
    try FileManager.default.removeItem(atPath: fixture.path)
    let reply = fixture.check()
    #expect(!reply.finding.sound)
    #expect(reply.finding.detail == "\(fixture.path) is missing")
  }

  @Test func emptyFileIsCalledEmpty() throws {
    let fixture = try DatabaseFixture()
    try fixture.directory.write("maildb.sqlite3", "", mode: 0o640)
    let finding = fixture.check().finding
    #expect(!finding.sound && finding.detail == "\(fixture.path) is empty (0 bytes)")
  }

  @Test(arguments: ["not a database at all\n", "SQLite", String(repeating: "x", count: 8192)])
  func otherFileIsNoDatabase(contents: String) throws {
    let fixture = try DatabaseFixture()
    try fixture.directory.write("maildb.sqlite3", contents, mode: 0o640)
    let finding = fixture.check().finding
    #expect(!finding.sound && finding.detail == "\(fixture.path) is not an SQLite database")
  }

  @Test func symbolicLinkIsFollowedAsPostfixAndDovecotDo() throws {
    let fixture = try DatabaseFixture()
    try FileManager.default.moveItem(atPath: fixture.path, toPath: fixture.directory.file("elsewhere"))
    try FileManager.default.createSymbolicLink(atPath: fixture.path, withDestinationPath: "elsewhere")
    #expect(fixture.check().finding.detail == "2 domains, 2 users, 2 aliases")
    #expect(chmod(fixture.directory.file("elsewhere"), 0o600) == 0)
    #expect(fixture.check().finding.kind == .databaseClosed)
  }

  @Test func directoryOrFIFOInItsPlaceIsRefused() throws {
    let fixture = try DatabaseFixture()
    try FileManager.default.removeItem(atPath: fixture.path)
    #expect(mkfifo(fixture.path, 0o640) == 0)
    #expect(fixture.check().finding.detail == "\(fixture.path) is not a regular file")
    try FileManager.default.removeItem(atPath: fixture.path)
    try FileManager.default.createDirectory(atPath: fixture.path, withIntermediateDirectories: false)
    #expect(fixture.check().finding.detail == "\(fixture.path) is not a regular file")
  }

  @Test func damagedPageIsFound() throws {
    let fixture = try DatabaseFixture()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    // The second page is the b-tree of `domains`.
    bytes.replaceSubrange(4096..<4196, with: Data(repeating: 0xa5, count: 100))
    try fixture.directory.write("maildb.sqlite3", bytes, mode: 0o640)
    try fixture.giveToMailGroup()
    let finding = fixture.check().finding
    #expect(!finding.sound && finding.detail.hasPrefix("\(fixture.path) is damaged: "))
    #expect(finding.hint?.contains(".recover") == true)
  }

  @Test func truncatedFileIsFound() throws {
    let fixture = try DatabaseFixture()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    try fixture.directory.write("maildb.sqlite3", bytes.prefix(bytes.count - 4096), mode: 0o640)
    try fixture.giveToMailGroup()
    let finding = fixture.check().finding
    #expect(!finding.sound && finding.detail.hasPrefix("\(fixture.path) is damaged: "))
  }

  @Test func indexThatDisagreesWithItsTableIsFound() throws {
    let fixture = try DatabaseFixture()
    try fixture.change(
      """
      PRAGMA writable_schema=ON;
      UPDATE sqlite_master SET sql='CREATE UNIQUE INDEX email_idx ON users(password)' WHERE name='email_idx';
      """)
    let finding = fixture.check().finding
    #expect(!finding.sound && finding.detail.contains("damaged"))
  }

  @Test(arguments: [
    ("users", DatabaseFixture.domains + DatabaseFixture.domainsIndex + DatabaseFixture.aliases),
    ("domains", DatabaseFixture.users + DatabaseFixture.aliases),
    ("aliases", DatabaseFixture.domains + DatabaseFixture.domainsIndex + DatabaseFixture.users),
  ])
  func missingTableIsNamed(table: String, schema: String) throws {
    let finding = try DatabaseFixture(sql: schema).check().finding
    #expect(!finding.sound && finding.detail == "table \(table) is missing")
  }

  @Test func missingTablesAreNamedBeforeAnythingElse() throws {
    let finding = try DatabaseFixture(sql: DatabaseFixture.domains).check().finding
    #expect(finding.detail == "table users is missing; table aliases is missing")
    #expect(finding.hint?.hasPrefix("is this the account database?") == true)
  }

  @Test func foreignVersionAndColumnThatOnlyWeNeedKeepNothingDown() throws {
    let fixture = try DatabaseFixture()
    try fixture.change("PRAGMA user_version=42; ALTER TABLE aliases ADD COLUMN active INTEGER DEFAULT 0")
    #expect(fixture.check().finding.sound)
    #expect(fixture.check().aliases.isEmpty, "an alias that is switched off is no sample")
    let schema = DatabaseFixture.users.replacingOccurrences(of: "domain_id INTEGER NOT NULL,", with: "")
      .replacingOccurrences(of: ",\n  FOREIGN KEY(domain_id) REFERENCES domains(id) ON DELETE CASCADE", with: "")
    let other = try DatabaseFixture(
      sql: DatabaseFixture.domains + DatabaseFixture.domainsIndex + schema + DatabaseFixture.aliases)
    let finding = other.check().finding
    #expect(finding.kind == .databaseLoose && finding.detail == "column users.domain_id is missing")
  }

  @Test func severalUsersOfBothEndsAreSampled() throws {
    let fixture = try DatabaseFixture()
    for number in 0..<20 {
      try fixture.change("INSERT INTO users(domain_id, password, email) VALUES (1, 'x', 'u\(number)@example.org')")
    }
    let users = fixture.check().users
    #expect(users.first == "ann@example.org" && users.contains("u19@example.org") && users.count == 8)
  }

  @Test func missingColumnIsNamed() throws {
    let schema = DatabaseFixture.schema.replacingOccurrences(of: ", active INTEGER DEFAULT 1", with: "")
    let finding = try DatabaseFixture(sql: schema).check().finding
    #expect(!finding.sound && finding.detail == "column users.active is missing")
  }

  @Test func missingUniqueIndexIsNamedAndItsHintMakesIt() throws {
    let schema = DatabaseFixture.schema.replacingOccurrences(of: DatabaseFixture.domainsIndex, with: "")
    let fixture = try DatabaseFixture(sql: schema + DatabaseFixture.rows)
    let finding = fixture.check().finding
    #expect(finding.grade == .warning && finding.detail == "domains(name) has no unique index")
    #expect(try runInShell(finding.hint ?? "false").status == 0)
    #expect(fixture.check().finding.sound)
  }

  @Test func tableThatDoesNotReferToDomainsIsNamed() throws {
    let schema = DatabaseFixture.schema.replacingOccurrences(
      of: "UNIQUE(src, dst), FOREIGN KEY(domain_id) REFERENCES domains(id) ON DELETE CASCADE",
      with: "UNIQUE(src, dst)")
    let finding = try DatabaseFixture(sql: schema).check().finding
    #expect(finding.grade == .warning && finding.detail == "aliases.domain_id does not refer to domains")
  }

  @Test func danglingRowsAreCounted() throws {
    let fixture = try DatabaseFixture()
    try fixture.change("DELETE FROM domains WHERE name='example.org'")
    let reply = fixture.check()
    #expect(reply.finding.kind == .databaseOrphans && reply.finding.grade == .warning)
    #expect(reply.finding.detail.contains("refers to no row of domains (and 3 more such)"))
    #expect(reply.domains == ["example.net"])
  }

  @Test func walIsRefusedWithoutTouchingItAndItsHintEndsIt() throws {
    let fixture = try DatabaseFixture()
    try fixture.change("PRAGMA journal_mode=WAL; INSERT INTO domains(name) VALUES ('example.com')")
    let before = try fixture.directory.names()
    let finding = fixture.check().finding
    #expect(!finding.sound && finding.detail.contains("journal mode WAL"))
    #expect(try fixture.directory.names() == before)
    #expect(try runInShell(finding.hint ?? "false").status == 0)
    #expect(fixture.check().finding.detail == "3 domains, 2 users, 2 aliases")
  }

  /// A web panel may want it otherwise; what cannot work, and what lets everybody redirect mail, keeps mail down.
  @Test(arguments: [
    (mode_t(0o644), Grade.warning, "not root:nogroup 0640: everybody may read the passwords' hashes"),
    (0o660, .warning, "not root:nogroup 0640"), (0o4640, .warning, "not root:nogroup 0640"),
    (0o600, .fatal, "only root can read it, not root:nogroup 0640"), (0o666, .fatal, "everybody may write it"),
  ])
  func wrongModeIsNamedAndItsHintMendsIt(mode: mode_t, grade: Grade, detail: String) throws {
    let fixture = try DatabaseFixture()
    #expect(chmod(fixture.path, mode) == 0)
    let reply = fixture.check()
    #expect(reply.finding.grade == grade)
    #expect(reply.finding.detail.hasSuffix(detail), "\(reply.finding.detail)")
    #expect(reply.domains.count == 2, "what could be read is still told")
    #expect(try runInShell(reply.finding.hint ?? "false").status == 0)
    #expect(fixture.check().finding.sound)
  }

  @Test(arguments: [(uid_t(65534), mode_t(0o640)), (65534, 0o600)])
  func anotherOwnerIsWarnedAbout(owner: uid_t, mode: mode_t) throws {
    let fixture = try DatabaseFixture()
    #expect(chmod(fixture.path, mode) == 0 && chown(fixture.path, owner, 0) == 0)
    let finding = fixture.check().finding
    #expect(finding.grade == .warning)
    #expect(finding.detail == "\(fixture.path) is nobody:root 0\(String(mode, radix: 8)), not root:nogroup 0640")
    #expect(try runInShell(finding.hint ?? "false").status == 0)
    #expect(fixture.check().finding.sound)
  }

  @Test(arguments: [(mode_t(0o700), FindingKind.databaseClosed), (0o777, .databaseWritable), (0o775, .databaseAccess)])
  func directoryThatIsClosedOrWritableToOthersIsNamed(mode: mode_t, kind: FindingKind) throws {
    let fixture = try DatabaseFixture()
    #expect(chmod(fixture.directory.path, mode) == 0)
    let finding = fixture.check().finding
    #expect(finding.kind == kind && finding.detail.hasPrefix("\(fixture.directory.path) is root 0"))
    #expect(try runInShell(finding.hint ?? "false").status == 0)
    #expect(fixture.check().finding.sound)
  }

  @Test func missingGroupIsNamed() throws {
    let fixture = try DatabaseFixture()
    let reply = checkDatabase(DatabaseRequest(path: fixture.path, owner: "root", group: "no-such-group"))
    #expect(reply.finding.grade == .warning)
    #expect(reply.finding.detail == "\(fixture.path) is root:nogroup 0640, not root:no-such-group 0640")
  }

  @Test func hotJournalIsReportedNotRolledBackAndItsHintRollsItBack() throws {
    let fixture = try DatabaseFixture()
    let interrupted = try TemporaryDirectory()
    let writer = try SQLiteWriter(fixture.path)
    // A small cache makes the transaction spill into the database before its end: the copy is what a power cut leaves.
    try writer.run(
      """
      PRAGMA cache_size=5; BEGIN;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000)
      INSERT INTO domains(name) SELECT i || '.example.com' FROM n;
      """)
    for suffix in ["", "-journal"] {
      try FileManager.default.copyItem(
        atPath: fixture.path + suffix, toPath: interrupted.file("maildb.sqlite3" + suffix))
    }
    try writer.run("ROLLBACK")
    let path = interrupted.file("maildb.sqlite3")
    #expect(try runInShell("chown root:nogroup \(path) && chmod 0640 \(path)").status == 0)
    let request = DatabaseRequest(path: path, owner: "root", group: "nogroup")
    let before = try Data(contentsOf: URL(fileURLWithPath: path))

    let finding = checkDatabase(request).finding
    #expect(
      !finding.sound
        && finding.detail == "\(path) has an interrupted change that must be rolled back (hot journal \(path)-journal)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    #expect(try interrupted.names() == ["maildb.sqlite3", "maildb.sqlite3-journal"])

    // Where anybody may have put the journal, not even whoever asks for the rollback gets it.
    var rollBack = request
    rollBack.rollBackInterrupted = true
    #expect(try runInShell("chmod 0777 \(interrupted.file(""))").status == 0)
    #expect(!checkDatabase(rollBack).finding.sound)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    #expect(try runInShell("chmod 0755 \(interrupted.file(""))").status == 0)

    let mended = try runInShell(finding.hint ?? "false")
    #expect(mended.status == 0, "\(mended.output)")
    #expect(checkDatabase(request).finding.detail == "2 domains, 2 users, 2 aliases")
  }

  @Test func readerIsNotDisturbedByAnOpenWriteTransaction() throws {
    let fixture = try DatabaseFixture()
    let writer = try SQLiteWriter(fixture.path)
    try writer.run("BEGIN IMMEDIATE; INSERT INTO domains(name) VALUES ('example.com')")
    #expect(fixture.check().finding.detail == "2 domains, 2 users, 2 aliases")
    try writer.run("COMMIT")
    #expect(fixture.check().finding.detail == "3 domains, 2 users, 2 aliases")
  }

  @Test func exclusiveLockIsWaitedForThenReported() throws {
    let fixture = try DatabaseFixture()
    let writer = try SQLiteWriter(fixture.path)
    try writer.run("BEGIN EXCLUSIVE")
    let start = ContinuousClock.now
    let finding = fixture.check().finding
    #expect(!finding.sound && finding.detail.contains("locked by another process for 5 s"))
    #expect(ContinuousClock.now - start >= .seconds(4.5))
    try writer.run("COMMIT")
  }
}
