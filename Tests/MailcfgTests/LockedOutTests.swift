import Foundation
import TestSupport
import Testing

/// How long a lookup fails while a change is committed, on a disk that takes its time for a sync.
@Suite(.serialized) struct LockedOutTests {
  /// Each sync takes 100 ms longer: so it is the syncs that count, whatever else this machine does.
  private static let slowSync = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <unistd.h>
    static int slow(const char *name, int fd) {
      usleep(100000);
      return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
    }
    int fsync(int fd) { return slow("fsync", fd); }
    int fdatasync(int fd) { return slow("fdatasync", fd); }
    """#

  /// 100,000 users: a change of many rows then writes most pages of the file in place.
  @Test func aCommitLocksReadersOutForLessThanSQLiteAlone() throws {
    let mailcfg = try Mailcfg("INSERT INTO users VALUES (2, 1, 'x', 'anna@example.org', 1);")
    let library = mailcfg.directory + "/slow.so"
    try Self.slowSync.write(toFile: mailcfg.directory + "/slow.c", atomically: true, encoding: .utf8)
    let compiled = try mailcfg.run(
      "/usr/bin/gcc", ["-shared", "-fPIC", "-o", library, mailcfg.directory + "/slow.c", "-ldl"])
    try #require(compiled.status == 0)
    try mailcfg.run("/usr/bin/sqlite3", [mailcfg.database, "BEGIN; \(Self.insertion(of: 1...100_000)); COMMIT"])
    let users = (100_001...105_000).map {
      #"{"email": "u\#($0 * 7919 % 1_000_003)@example.org", "password": "{SHA512-CRYPT}$6$abcdefgh$\#(String(repeating: "x", count: 86))"}"#
    }
    let file = mailcfg.directory + "/users.json"
    try #"{"users": [\#(users.joined(separator: ","))]}"#.write(toFile: file, atomically: true, encoding: .utf8)
    let changes: [(call: [String], sql: String)] = [
      (["adddom", "example.net"], "INSERT INTO domains (name) VALUES ('example.net')"),
      (["disable", "joe@example.org"], "UPDATE users SET active=0 WHERE email='joe@example.org'"),
      (["import", file], Self.insertion(of: 100_001...105_000)),
    ]
    for (call, sql) in changes {
      let ours = try lockedOut(mailcfg, library) { [try Mailcfg.path, "--db", $0] + call }
      let alone = try lockedOut(mailcfg, library) {
        ["/usr/bin/sqlite3", $0, "PRAGMA busy_timeout=10000; PRAGMA cache_spill=OFF; BEGIN IMMEDIATE; \(sql); COMMIT"]
      }
      #expect(alone > .milliseconds(200), "\(call): \(alone)")
      #expect(ours * 3 < alone * 2, "\(call): \(ours) and \(alone)")
    }
  }

  /// Users in an order that spreads over the whole index.
  private static func insertion(of numbers: ClosedRange<Int>) -> String {
    """
    WITH RECURSIVE n(i) AS (SELECT \(numbers.lowerBound) UNION ALL SELECT i+1 FROM n WHERE i<\(numbers.upperBound))
    INSERT INTO users (domain_id, password, email)
    SELECT 1, printf('%.120c', 'x'), printf('u%d@example.org', i*7919%1000003) FROM n
    """
  }

  /// The longest time without an answer while the call changes a copy of the database.
  private func lockedOut(_ mailcfg: Mailcfg, _ library: String, _ call: (String) throws -> [String]) throws -> Duration
  {
    let copy = mailcfg.directory + "/copy"
    try? FileManager.default.removeItem(atPath: copy)
    try FileManager.default.copyItem(atPath: mailcfg.database, toPath: copy)
    let reader = try DatabaseReader(copy)
    let run = try mailcfg.run("/usr/bin/env", ["LD_PRELOAD=" + library] + call(copy))
    // A refusal that goes on is counted once it has ended.
    reader.stop()
    try #require(run.status == 0, "\(run.complaint)")
    return reader.longest
  }
}
