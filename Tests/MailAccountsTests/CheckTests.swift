import Glibc
import Testing

@testable import MailAccounts

@Suite struct CheckTests {
  private func kinds(_ statements: String) throws -> [String: [String]] {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(
      """
      UPDATE users SET password='\(someHash.text)';
      INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'postmaster@example.org', 'anna@example.org');
      INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'abuse@example.org', 'anna@example.org');
      """ + statements)
    let database = try AccountDatabase(path: fixture.path, .read) {
      MailSystem(recipientDelimiter: "+-", localDomains: ["localhost"])
    }
    return Dictionary(grouping: try database.check(), by: \.kind).mapValues { $0.map(\.subject) }
  }

  @Test func aSoundDatabaseHasNoFindings() throws {
    #expect(try kinds("") == [:])
  }

  @Test func eachThingThatIsWrongIsFound() throws {
    #expect(
      try kinds("INSERT INTO users (domain_id, password, email) VALUES (7, '\(someHash.text)', 'eve@example.org')")[
        "orphan"]
        == ["eve@example.org"])
    #expect(
      try kinds(
        "INSERT INTO domains (name) VALUES ('example.net'); UPDATE users SET domain_id=2 WHERE email LIKE 'bob%'")[
          "domain"] == ["bob@example.org"])
    #expect(try kinds("DELETE FROM aliases WHERE src LIKE 'abuse%'")["role"] == ["abuse@example.org"])
    #expect(
      try kinds(
        "INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'a@example.org', 'b@example.org'), (1, 'b@example.org', 'a@example.org')"
      )[
        "loop"]?.count == 1)
    #expect(
      try kinds("INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'a@example.org', 'gone@example.org')")["dead-end"]
        == ["a@example.org"])
    #expect(try kinds("UPDATE users SET active=0 WHERE email LIKE 'anna%'")["dead-end"]?.count == 3)
    #expect(
      try kinds("INSERT INTO users (domain_id, password, email) VALUES (1, '\(someHash.text)', 'Zoe@example.org')")[
        "name"]
        == ["Zoe@example.org"])
    #expect(try kinds("UPDATE users SET password='rubbish' WHERE email LIKE 'bob%'")["password"] == ["bob@example.org"])
    #expect(
      try kinds("UPDATE users SET password='{PLAIN}x' WHERE email LIKE 'bob%'")["password"] == ["bob@example.org"])
    #expect(
      try kinds("INSERT INTO aliases (domain_id, src, dst) VALUES (1, '@example.org', 'anna@example.org')")["catch-all"]
        == ["anna@example.org", "bob@example.org"])
  }

  /// Postfix knows more addresses than those that have a row.
  @Test func whatPostfixDeliversIsNoFinding() throws {
    #expect(
      try kinds(
        """
        INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'news@example.org', 'anna+news@example.org'),
          (1, 'sub@example.org', 'info+x@example.org'), (1, 'root@example.org', 'root@localhost');
        INSERT INTO domains (name) VALUES ('old.example');
        INSERT INTO aliases (domain_id, src, dst) VALUES (2, '@old.example', '@example.org');
        """) == [:])
    #expect(
      try kinds("INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'x@example.org', 'gone+news@example.org')")[
        "dead-end"]
        == ["x@example.org"])
    #expect(
      try kinds(
        """
        INSERT INTO domains (name) VALUES ('bücher.example'), ('xn--bcher-kva.example');
        INSERT INTO aliases (domain_id, src, dst) VALUES (2, '@bücher.example', 'anna@example.org'),
          (3, '@xn--bcher-kva.example', 'anna@example.org');
        """) == [:])
  }

  @Test func aCircleThroughAWholeDomainIsFound() throws {
    #expect(
      try kinds(
        """
        INSERT INTO domains (name) VALUES ('old.example');
        INSERT INTO aliases (domain_id, src, dst) VALUES (2, '@old.example', '@example.org'),
          (1, 'y@example.org', 'y@old.example');
        """)["loop"]?.count == 1)
  }

  @Test func ofOneKindNotMoreAreShownThanSomebodyReads() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000)
      INSERT INTO users (domain_id, password, email) SELECT 1, '{PLAIN}x', 'u' || i || '@example.org' FROM n
      """)
    let findings = try fixture.open(.read).check().filter { $0.kind == "password" }
    #expect(findings.count == 1001 && findings.last?.message == "1000 more of this kind")
  }

  @Test func aModeThatLetsOthersReadIsAnError() throws {
    let fixture = try DatabaseFixture.old()
    #expect(chmod(fixture.path, 0o644) == 0)
    #expect(try fixture.open(.read).check().contains { $0.kind == "mode" && $0.severity == .error })
  }
}
