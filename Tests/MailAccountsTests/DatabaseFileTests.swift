import Foundation
import SQLite
import Testing

@testable import MailAccounts

@Suite struct DatabaseFileTests {
  private func problem(_ fixture: DatabaseFixture, _ access: AccountDatabase.Access = .change) -> DatabaseProblem? {
    do throws(AccountError) {
      _ = try AccountDatabase(path: fixture.path, access, busySeconds: 0)
      return nil
    } catch {
      if case .database(let problem, _) = error { return problem }
      return nil
    }
  }

  @Test(arguments: [true, false])
  func aNewOneGetsTablesOwnerAndMode(exists: Bool) throws {
    let fixture = try DatabaseFixture()
    if exists { _ = FileManager.default.createFile(atPath: fixture.path, contents: Data()) }
    #expect(problem(fixture) == .missing)
    #expect(problem(fixture, .read) == .missing)
    _ = try fixture.open(.create(owner: "root", group: "daemon"))
    let tables = try fixture.column("SELECT name FROM sqlite_master WHERE sql NOT NULL ORDER BY name")
    #expect(tables == ["aliases", "domains", "email_idx", "name_idx", "source_idx", "users"])
    #expect(try fixture.column("PRAGMA user_version") == ["0"])
    #expect(try fixture.column("PRAGMA journal_mode") == ["delete"])
    if !exists {
      let attributes = try FileManager.default.attributesOfItem(atPath: fixture.path)
      #expect(attributes[.posixPermissions] as? Int == 0o640)
      if getuid() == 0 { #expect(attributes[.groupOwnerAccountName] as? String == "daemon") }
    }
  }

  @Test(.enabled(if: getuid() == 0, "only root gives files away"))
  func withoutItsOwnerANewOneIsNotMade() throws {
    let fixture = try DatabaseFixture()
    #expect(
      problem(fixture, .create(owner: "root", group: "no-such-group")) == .noOwner(user: "root", group: "no-such-group")
    )
    #expect(!FileManager.default.fileExists(atPath: fixture.path))
  }

  @Test func severalProcessesMayMakeItAtOnce() async throws {
    for _ in 0..<10 {
      let fixture = try DatabaseFixture()
      let path = fixture.path
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...4 {
          group.addTask {
            let database = try AccountDatabase(path: path, .create(owner: "root", group: "root"), busySeconds: 10)
            _ = try database.perform(.addDomain(DomainName("d\(number).example")))
          }
        }
        try await group.waitForAll()
      }
      #expect(try fixture.column("SELECT count(*) FROM domains") == ["4"])
    }
  }

  @Test func somethingElseIsNotTouched() throws {
    let fixture = try DatabaseFixture()
    let text = Data(
      "this is a letter, and a long one, that fills more than a hundred bytes: ".utf8 + Array(repeating: 65, count: 100)
    )
    try text.write(to: URL(fileURLWithPath: fixture.path))
    #expect(problem(fixture) == .notADatabase)
    #expect(problem(fixture, .create(owner: "root", group: "root")) == .notADatabase)
    #expect(fixture.bytes == text)
  }

  @Test func anotherApplicationsTablesAreNamed() throws {
    let fixture = try DatabaseFixture("CREATE TABLE domains(id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE users(id)")
    guard case .database(.foreignSchema(let missing), _)? = try fixture.refusal(of: .user("a@b.example")) else {
      Issue.record("no such error")
      return
    }
    #expect(missing.contains("table aliases"))
    #expect(missing.contains("column users.email"))
  }

  @Test func aNewerOneIsRefused() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute("PRAGMA user_version=2")
    let before = fixture.bytes
    #expect(problem(fixture) == .newerSchema(2))
    #expect(fixture.bytes == before)
  }

  @Test func journalModeWALIsRefusedAndNoFilesAreLeftBesideIt() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute("PRAGMA journal_mode=WAL; UPDATE users SET active=1")
    #expect(problem(fixture) == .journalModeWAL)
    #expect(problem(fixture, .read) == .journalModeWAL)
  }

  @Test func aLinkIsNotFollowed() throws {
    let fixture = try DatabaseFixture.old()
    let other = try DatabaseFixture()
    try FileManager.default.createSymbolicLink(atPath: other.path, withDestinationPath: fixture.path)
    #expect(problem(other) == .symbolicLink)
  }

  @Test func aLockedOneIsWaitedForUpToTheLimit() throws {
    let fixture = try DatabaseFixture.old()
    let holder = try fixture.connection()
    try holder.execute("BEGIN IMMEDIATE")
    let clock = ContinuousClock()
    var error: AccountError?
    let time = try clock.measure { error = try fixture.refusal(of: .addDomain(DomainName("example.net"))) }
    #expect(error == .database(.busy(seconds: 1), path: try fixture.open(.read).path))
    #expect(time >= .milliseconds(900))
    // Reading goes on meanwhile.
    var names: [String] = []
    try fixture.open(.read).domains { names.append($0.name) }
    #expect(names == ["example.org"])
    try holder.execute("ROLLBACK")
    #expect(try fixture.perform(.addDomain(DomainName("example.net"))).changes.count == 1)
  }

  @Test func aDamagedOneIsSaidToBeThatAndStaysAsItIs() throws {
    let fixture = try DatabaseFixture.old()
    var bytes = fixture.bytes
    // The pages behind the schema: every tree becomes nonsense.
    for index in 4096..<bytes.count where index % 3 != 0 { bytes[index] = 0xa5 }
    try bytes.write(to: URL(fileURLWithPath: fixture.path))
    guard case .database(.damaged, _)? = try fixture.refusal(of: .user("carol@example.org")) else {
      Issue.record("no such error")
      return
    }
    let findings = try fixture.open(.read).check()
    #expect(findings.contains { $0.kind == "damage" })
  }

  @Test func anInterruptedChangeIsUndoneByWhoeverMayWrite() throws {
    let fixture = try DatabaseFixture.old()
    let before = fixture.bytes
    // A copy of file and journal as a power cut leaves them: in the middle of a commit.
    let victim = try DatabaseFixture()
    do {
      let connection = try fixture.connection()
      try connection.execute("PRAGMA cache_size=1; BEGIN; UPDATE users SET password=hex(randomblob(20000))")
      for suffix in ["", "-journal"] {
        try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: victim.path + suffix)
      }
      try connection.execute("ROLLBACK")
    }
    #expect(victim.bytes != before)
    var count = 0
    try victim.open(.read).users { _ in count += 1 }
    #expect(count == 2)
    #expect(try victim.column("SELECT DISTINCT password FROM users") == [someHash.text])
    #expect(!FileManager.default.fileExists(atPath: victim.path + "-journal"))
  }

  @Test func aBackupIsWholeAndNeverOverwrites() throws {
    let fixture = try DatabaseFixture.old()
    let target = fixture.directory + "/copy.sqlite3"
    try fixture.open(.read).backUp(to: target)
    let copy = try SQLiteConnection(path: target, access: .readOnly, busyMilliseconds: 0)
    #expect(try copy.column("SELECT email FROM users ORDER BY email") == ["anna@example.org", "bob@example.org"])
    #expect(try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int == 0o640)
    #expect(throws: AccountError.self) { try fixture.open(.read).backUp(to: target) }
  }
}
