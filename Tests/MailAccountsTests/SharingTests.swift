import Foundation
import SQLite
import Testing

@testable import MailAccounts

/// Reading for long, and changing much, while others want to change something.
@Suite struct SharingTests {
  private func fixture(users: Int) throws -> DatabaseFixture {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<\(users))
      INSERT INTO users (domain_id, password, email) SELECT 1, '\(someHash.text)', printf('u%06d@example.org', i) FROM n
      """)
    return fixture
  }

  /// Runs `change` in another thread, against a reader that takes its time. Returns how long the change took.
  private func change(_ fixture: DatabaseFixture, while read: (AccountDatabase.Access) throws -> Void) throws
    -> Duration
  {
    let path = fixture.path
    let done = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var time = Duration.zero
    Thread.detachNewThread {
      usleep(100_000)
      time = ContinuousClock().measure {
        _ = try? AccountDatabase(path: path, .change, busySeconds: 10).perform(.setActive("bob@example.org", false))
      }
      done.signal()
    }
    try read(.read)
    done.wait()
    #expect(try fixture.column("SELECT active FROM users WHERE email='bob@example.org'") == ["0"])
    return time
  }

  @Test func aLongListLetsAChangeThrough() throws {
    let fixture = try fixture(users: 20_000)
    var count = 0
    let time = try change(fixture) { access in
      // 2 s.
      try fixture.open(access).users { _ in
        count += 1
        usleep(100)
      }
    }
    #expect(count == 20_002 && time < .seconds(1), "\(time)")
  }

  @Test func whatIsReadAtOneMomentIsReadAnewAfterAChange() throws {
    let fixture = try fixture(users: 5000)
    var text = ""
    var begun = 0
    let time = try change(fixture) { access in
      try fixture.open(access).export(withPasswords: false) {
        text = ""
        begun += 1
      } _: {
        text += $0
        usleep(100)
      }
    }
    #expect(begun == 2 && time < .seconds(1), "\(begun) times, \(time)")
    #expect(text.contains(#"{"email":"bob@example.org","active":false}"#))
    #expect(text.components(separatedBy: #""email""#).count == 5003)
  }

  /// Others change something again and again, so that it is never quiet long enough.
  @Test func whoeverReadsAllOfItKeepsNobodyOut() throws {
    let fixture = try fixture(users: 20_000)
    let path = fixture.path
    let done = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var longest = Duration.zero
    nonisolated(unsafe) var count = 0
    let thread = Thread {
      while !Thread.current.isCancelled {
        let time = ContinuousClock().measure {
          let database = try? AccountDatabase(path: path, .change, busySeconds: 10)
          if (try? database?.perform(.setActive("bob@example.org", count % 2 == 1)))??.changes.count == 1 { count += 1 }
        }
        longest = max(longest, time)
        usleep(20_000)
      }
      done.signal()
    }
    thread.start()
    usleep(100_000)
    for _ in 0..<3 {
      let text = try fixture.export()
      #expect(text.components(separatedBy: #""email""#).count == 20_003)
      #expect(try fixture.open(.read).check().allSatisfy { $0.kind != "damage" })
    }
    try fixture.importing(
      (1...12_000).map { .user(ImportedUser(email: "n\($0)@example.org", passwordHash: someHash.text)) })
    thread.cancel()
    done.wait()
    #expect(count > 10 && longest < .seconds(2), "\(count), at most \(longest)")
    #expect(try fixture.column("SELECT count(*) FROM users") == ["32002"])
    // Nothing is left of the copies.
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == ["maildb.sqlite3"])
  }

  @Test func aRuleOfAnotherProgramIsAnError() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(
      "CREATE UNIQUE INDEX other ON users (email COLLATE NOCASE); UPDATE users SET email='Carol@example.org' WHERE id=2"
    )
    guard case .database(.other(let reason), _)? = try fixture.refusal(of: .user("carol@example.org")) else {
      Issue.record("no such error")
      return
    }
    #expect(reason.contains("UNIQUE constraint failed"))
    #expect(
      try fixture.refusal(of: [.user(ImportedUser(email: "carol@example.org", passwordHash: someHash.text))]) != nil)
  }

  @Test func aBackupLetsAChangeThrough() throws {
    let fixture = try fixture(users: 100_000)
    let target = fixture.directory + "/copy"
    let time = try change(fixture) { access in
      // Until the change has come in between.
      for number in 0..<200 {
        try fixture.open(access).backUp(to: target + "\(number)")
        if try fixture.column("SELECT active FROM users WHERE email='bob@example.org'") == ["0"] { break }
        unlink(target + "\(number)")
      }
      try fixture.open(access).backUp(to: target)
    }
    #expect(time < .seconds(1), "\(time)")
    let copy = try SQLiteConnection(path: target, access: .readOnly, busyMilliseconds: 0)
    #expect(try copy.column("PRAGMA integrity_check") == ["ok"])
    #expect(try copy.column("SELECT count(*) FROM users WHERE active") == ["100001"])
  }

  /// Another process changes something between the finding out and the making: here in the question.
  @Test func whatWasAgreedToIsWhatIsRemoved() throws {
    let fixture = try DatabaseFixture.old()
    var asked: [[String]] = []
    let outcome = try fixture.open().perform(.removeDomain("example.org")) { outcome in
      asked.append(outcome.changes.map(\.line))
      if asked.count == 1 { _ = try? fixture.perform(.user("new@example.org")) }
      return asked.count == 1
    }
    #expect(outcome == nil && asked.count == 2)
    #expect(
      asked.first?.contains("- user new@example.org") == false && asked.last?.contains("- user new@example.org") == true
    )
    #expect(try fixture.column("SELECT count(*) FROM users") == ["3"], "nothing was agreed to in the end")
  }

  @Test func whoIsAskedIsNotAskedAgainForNothing() throws {
    let fixture = try DatabaseFixture.old()
    var asked = 0
    let outcome = try fixture.open().perform(.removeUser("bob@example.org")) { _ in
      asked += 1
      if asked == 1 { _ = try? fixture.perform(.addDomain(DomainName("else.example"))) }
      return true
    }
    #expect(outcome?.changes.count == 1 && asked == 1)
    #expect(try fixture.column("SELECT name FROM domains ORDER BY id") == ["example.org", "else.example"])
  }

  @Test func aPruningImportAsksAgainToo() throws {
    let fixture = try DatabaseFixture.old()
    let database = try fixture.open()
    let stage = try database.newImport()
    try stage.add(.domain("example.org", kept: false))
    try stage.add(.user(ImportedUser(email: "anna@example.org")))
    var removed: [Int] = []
    let summary = try database.make(stage, ImportOptions(prunes: true)) { summary in
      removed.append(summary.removedUsers)
      if removed.count == 1 { _ = try? fixture.perform(.user("new@example.org")) }
      return true
    }
    #expect(removed == [1, 2] && summary?.removedUsers == 2)
  }

  /// Both have found out that the columns are missing.
  @Test func twoMayAddTheColumnsForLimitsAtOnce() throws {
    let fixture = try DatabaseFixture.old()
    let first = try fixture.open()
    let second = try fixture.open()
    let quota = LimitsChange(quota: .some(5))
    _ = try first.perform(.setLimits("bob@example.org", quota)) { _ in
      _ = try? second.perform(.setLimits("anna@example.org", quota))
      return true
    }
    #expect(
      try fixture.column("SELECT email FROM users WHERE quota=5 ORDER BY email") == [
        "anna@example.org", "bob@example.org",
      ])
  }

  @Test func aColumnThatIsThereAlreadyIsUsed() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute("ALTER TABLE users ADD COLUMN quota INTEGER DEFAULT 7")
    var quotas: [Int64?] = []
    try fixture.open(.read).users { quotas.append($0.limits.quota) }
    #expect(quotas == [7, 7])
    try fixture.perform(.setLimits("bob@example.org", LimitsChange(sends: false, quota: .some(9))))
    #expect(
      try fixture.column("SELECT email || quota || sends FROM users ORDER BY email") == [
        "anna@example.org71", "bob@example.org90",
      ])
    #expect(try fixture.column("PRAGMA user_version") == ["1"])
    #expect(try fixture.export().contains(#""quota":9"#))
  }
}
