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
    // @unchecked: the counters are read after the thread has ended.
    private(set) var answers = 0
    private(set) var refusals: [ContinuousClock.Instant] = []
    private var thread: Thread?
    private let begun = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ path: String) throws {
      let connection = try SQLiteConnection(path: path, access: .readOnly, busyMilliseconds: 0)
      let box = Box(connection)
      let thread = Thread { [self] in
        while !Thread.current.isCancelled {
          if answers == 1 { begun.signal() }
          if (try? box.connection.column("SELECT 1 FROM users WHERE email='anna@example.org' AND active=1")) == ["1"] {
            answers += 1
          } else {
            refusals.append(.now)
          }
        }
        ended.signal()
      }
      self.thread = thread
      thread.start()
      begun.wait()
    }

    func stop() {
      thread?.cancel()
      ended.wait()
    }

    private final class Box: @unchecked Sendable {
      let connection: SQLiteConnection
      init(_ connection: consuming SQLiteConnection) { self.connection = connection }
    }
  }

  /// How long readers were refused while 30,000 users were committed.
  private func lockedOut(by access: SQLiteConnection.Access) throws -> Duration {
    let fixture = try DatabaseFixture.old()
    let writer = try SQLiteConnection(path: fixture.path, access: access, busyMilliseconds: 5000)
    try writer.execute(
      """
      PRAGMA cache_spill=OFF; BEGIN IMMEDIATE;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<30000)
      INSERT INTO users (domain_id, password, email) SELECT 1, printf('%.120c', 'x'), printf('u%d@example.org', i*7919%100003) FROM n
      """)
    let reader = try Reader(fixture.path)
    try writer.execute("COMMIT")
    usleep(10_000)
    reader.stop()
    #expect(try fixture.column("SELECT count(*) FROM users") == ["30002"])
    #expect(try fixture.column("PRAGMA integrity_check") == ["ok"])
    #expect(reader.answers > 0)
    guard let first = reader.refusals.first, let last = reader.refusals.last else { return .zero }
    return first.duration(to: last)
  }

  @Test func aLargeCommitLocksReadersOutForMuchLessThanSQLiteAlone() throws {
    // What else the machine does can make ours longer, and can keep the reader from seeing SQLite's at all.
    var best = (alone: Duration.zero, short: Duration.seconds(1000))
    for _ in 1...3 {
      best.alone = max(best.alone, try lockedOut(by: .readWrite))
      best.short = min(best.short, try lockedOut(by: .readWriteShortly))
    }
    #expect(best.short * 3 < best.alone, "\(best.short) and \(best.alone)")
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
    #expect(reader.answers > reader.refusals.count / 4, "\(reader.answers) answers, \(reader.refusals.count) refusals")
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
