import Foundation
import SQLite
import Testing
import Text

@testable import MailAccounts

/// How much others notice of a commit. Postfix reads as the reader here does: with no busy timeout.
@Suite(.serialized) struct ShortLockTests {
  private func users(_ numbers: ClosedRange<Int>) -> AccountSet {
    AccountSet(users: numbers.map { .init(email: "u\($0 &* 7919 % 100_003)@example.org", passwordHash: someHash.text) })
  }

  /// Reads without a pause until told to stop.
  private final class Reader: @unchecked Sendable {
    // @unchecked: the counters are guarded by the lock.
    private let lock = NSLock()
    private var counted = (answers: 0, refusals: 0, longest: Duration.zero)
    private var thread: Thread?
    private let begun = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    var answers: Int { lock.withLock { counted.answers } }
    var refusals: Int { lock.withLock { counted.refusals } }
    /// From a refusal to the next answer, at most.
    var longest: Duration { lock.withLock { counted.longest } }

    init(_ path: String) throws {
      let connection = try SQLiteConnection(path: path, access: .readOnly, busyMilliseconds: 0)
      let box = Box(connection)
      let thread = Thread { [self] in
        var refused: ContinuousClock.Instant?
        while !Thread.current.isCancelled {
          let answer = try? box.connection.column("SELECT 1 FROM users WHERE email='anna@example.org' AND active=1")
          let isAnswer: Bool = answer == ["1"]
          if !isAnswer && refused == nil { refused = .now }
          lock.withLock {
            if !isAnswer {
              counted.refusals += 1
            } else {
              counted.answers += 1
              if let refused { counted.longest = max(counted.longest, refused.duration(to: .now)) }
            }
          }
          if isAnswer { refused = nil }
          if answers == 1 { begun.signal() }
        }
        ended.signal()
      }
      self.thread = thread
      thread.start()
      begun.wait()
    }

    /// What went before does not count.
    func forget() { lock.withLock { counted.longest = .zero } }

    func stop() {
      thread?.cancel()
      ended.wait()
    }

    private final class Box: @unchecked Sendable {
      let connection: SQLiteConnection
      init(_ connection: consuming SQLiteConnection) { self.connection = connection }
    }
  }

  /// Users in an order that spreads over the whole index.
  private static func insertion(of numbers: ClosedRange<Int>) -> String {
    """
    WITH RECURSIVE n(i) AS (SELECT \(numbers.lowerBound) UNION ALL SELECT i+1 FROM n WHERE i<\(numbers.upperBound))
    INSERT INTO users (domain_id, password, email)
    SELECT 1, printf('%.120c', 'x'), printf('u%d@example.org', i*7919%1000003) FROM n;
    """
  }

  /// How long a reader was refused while the change was committed to a copy of the database.
  private func lockedOut(
    by access: SQLiteConnection.Access, _ change: String, _ original: DatabaseFixture
  ) throws -> Duration {
    let copy = try DatabaseFixture()
    try FileManager.default.copyItem(atPath: original.path, toPath: copy.path)
    let writer = try SQLiteConnection(path: copy.path, access: access, busyMilliseconds: 5000)
    try writer.execute("PRAGMA cache_spill=OFF")
    let reader = try Reader(copy.path)
    // A busy machine may stop the reader amid a query for longer than a commit waits.
    var isDone = false
    for _ in 1...50 where !isDone {
      reader.forget()
      try writer.execute("BEGIN IMMEDIATE; \(change)")
      isDone = try commits(writer)
    }
    try #require(isDone)
    usleep(10_000)
    reader.stop()
    #expect(try copy.column("PRAGMA quick_check") == ["ok"])
    return reader.longest
  }

  /// False when a reader kept it from being committed.
  private func commits(_ writer: borrowing SQLiteConnection) throws -> Bool {
    do {
      try writer.execute("COMMIT")
      return true
    } catch {
      guard error.kind == .busy else { throw error }
      return false
    }
  }

  /// 100,000 users are there: a large change writes most pages of the file in place.
  @Test func aCommitLocksReadersOutForLessThanSQLiteAlone() throws {
    let full = try DatabaseFixture.old()
    try full.execute("PRAGMA cache_size=-65536; BEGIN; \(Self.insertion(of: 1...100_000)); COMMIT")
    let changes: [(String, String)] = [
      ("a domain", "INSERT INTO domains (name) VALUES ('example.net')"),
      ("a user", "UPDATE users SET active=0 WHERE email='bob@example.org'"),
      ("30,000 users", Self.insertion(of: 100_001...130_000)),
    ]
    for (what, change) in changes {
      // In turns, and their medians: what else the machine does can make each longer, or keep the reader from seeing it at all.
      let pairs = try (1...5).map { _ in
        (
          alone: try lockedOut(by: .readWrite, change, full), short: try lockedOut(by: .readWriteShortly, change, full)
        )
      }
      let alone = pairs.map(\.alone).sorted()[2]
      let short = pairs.map(\.short).sorted()[2]
      #expect(short * 3 < alone * 2, "\(what): \(short) and \(alone)")
    }
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
    let reader = try Reader(fixture.path)
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
      try fixture.perform(.import(users((round * 150 + 1)...(round * 150 + 300)), prune: false), dryRun: false)
      try fixture.perform(.addDomain(DomainName("d\(round).example")))
      try fixture.perform(.user("x\(round)@d\(round).example", limits: Limits(quota: 1)))
      if round % 3 == 0 { try fixture.perform(.removeDomain("d\(round).example")) }
      #expect(try fixture.column("PRAGMA integrity_check") == ["ok"])
    }
  }
}
