import SQLite
import Testing

@testable import MailAccounts

@Suite struct RequestTests {
  @Test func whatIsThereAlreadyChangesNothing() throws {
    let fixture = try DatabaseFixture.old()
    let before = fixture.bytes
    #expect(try fixture.perform(.addDomain(DomainName("Example.ORG"))).changes.isEmpty)
    #expect(try fixture.perform(.user("anna@example.org")).warnings == [.userIsThere(email: "anna@example.org")])
    #expect(try fixture.perform(.alias("info@example.org", "anna@example.org")).changes.isEmpty)
    #expect(try fixture.perform(.setActive("bob@example.org", true)).changes.isEmpty)
    #expect(fixture.bytes == before)
  }

  @Test func aTypoClaimsNoDomain() throws {
    let fixture = try DatabaseFixture.old()
    let gmail = try DomainName("gmail.com")
    #expect(
      try fixture.refusal(of: .user("x@gmail.com")) == .unknownDomain(gmail, address: "x@gmail.com"))
    #expect(
      try fixture.refusal(of: .alias("x@gmail.com", "anna@example.org"))
        == .unknownDomain(gmail, address: "x@gmail.com"))
    #expect(try fixture.perform(.user("x@gmail.com", createDomain: true)).changes.count == 2)
  }

  @Test func whatIsNotThereIsAnError() throws {
    let fixture = try DatabaseFixture.old()
    #expect(try fixture.refusal(of: .removeUser("carol@example.org")) == .noUser("carol@example.org"))
    #expect(try fixture.refusal(of: .setPassword("carol@example.org", someHash)) == .noUser("carol@example.org"))
    #expect(try fixture.refusal(of: .removeDomain("example.net")) == .noDomain("example.net"))
    #expect(try fixture.refusal(of: .removeAlias("x@example.org")) == .noAlias("x@example.org"))
    #expect(try fixture.refusal(of: .removeAliasNumber(99)) == .noAliasNumber(99))
    guard case .name? = try fixture.refusal(of: .removeUser("x'; DROP TABLE users")) else {
      Issue.record("no error about the name")
      return
    }
  }

  @Test func aDryRunChangesNothingAndSaysWhatWould() throws {
    let fixture = try DatabaseFixture.old()
    let before = fixture.bytes
    let outcome = try fixture.perform(.removeDomain("example.org"), dryRun: true)
    #expect(
      outcome.changes.map(\.line) == [
        "- alias info@example.org -> anna@example.org", "- user anna@example.org", "- user bob@example.org",
        "- domain example.org",
      ])
    #expect(fixture.bytes == before)
  }

  @Test func nobodyOfARemovedDomainIsLeft() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(
      """
      INSERT INTO domains (name) VALUES ('example.net');
      INSERT INTO aliases (domain_id, src, dst) VALUES (2, 'a@example.net', 'bob@example.org, c@elsewhere.example');
      """)
    let outcome = try fixture.perform(.removeDomain("example.org"))
    guard case .stillNamed("example.org", let by)? = outcome.warnings.first else {
      Issue.record("no warning about the alias elsewhere")
      return
    }
    #expect(by.map(\.source) == ["a@example.net"])
    #expect(try fixture.column("SELECT count(*) FROM users") == ["0"])
    #expect(try fixture.column("SELECT src FROM aliases") == ["a@example.net"])
    #expect(try fixture.column("PRAGMA foreign_key_check").isEmpty)
  }

  @Test func whatAnOlderProgramWroteOtherwiseCanBeRemoved() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(
      """
      INSERT INTO users (domain_id, password, email) VALUES (1, 'x', 'Carol@Example.org');
      INSERT INTO users (domain_id, password, email) VALUES (1, 'x', 'two words@example.org');
      """)
    #expect(try fixture.perform(.removeUser("carol@example.org")).changes.count == 1)
    #expect(try fixture.perform(.removeUser(" two words@example.org ")).changes.count == 1)
    try fixture.execute("INSERT INTO users (domain_id, password, email) VALUES (1, 'x', ' lead@example.org')")
    #expect(try fixture.perform(.removeUser(" lead@example.org")).changes.count == 1)
  }

  @Test func limitsComeAsColumnsThatOldStatementsNeedNotKnow() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.perform(.user("noreply@example.org", limits: Limits(receives: false)))
    #expect(try fixture.column("PRAGMA user_version") == ["1"])
    try fixture.execute("INSERT INTO users (domain_id, password, email) VALUES (1, 'x', 'dora@example.org')")
    var users: [UserRecord] = []
    try fixture.open(.read).users { users.append($0) }
    #expect(users.filter { !$0.limits.receives }.map(\.email) == ["noreply@example.org"])
    #expect(users.first { $0.email == "dora@example.org" }?.limits == Limits())
    try fixture.perform(.setLimits("dora@example.org", LimitsChange(sends: false, quota: .some(1 << 30))))
    #expect(
      try fixture.column("SELECT sends||','||quota FROM users WHERE email='dora@example.org'") == ["0,1073741824"])
    try fixture.perform(.setLimits("dora@example.org", LimitsChange(quota: .some(nil))))
    #expect(try fixture.column("SELECT count(*) FROM users WHERE quota IS NULL AND email LIKE 'dora%'") == ["1"])
  }

  @Test func withoutLimitsAnOldDatabaseStaysOld() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.perform(.user("carol@example.org"))
    try fixture.perform(.setActive("carol@example.org", false))
    #expect(try fixture.column("PRAGMA user_version") == ["0"])
    #expect(try fixture.column("SELECT count(*) FROM pragma_table_info('users')") == ["5"])
  }

  @Test func readersAreNotLockedOutByAnOpenChange() throws {
    let fixture = try DatabaseFixture.old()
    let writer = try fixture.open()
    try writer.connection.execute("BEGIN IMMEDIATE")
    try writer.apply(
      (1...20_000).map { .addUser(email: "u\($0)@example.org", hash: "x", isActive: true, limits: Limits()) })
    // As postfix reads: with no busy timeout.
    let reader = try SQLiteConnection(path: fixture.path, access: .readOnly, busyMilliseconds: 0)
    #expect(try reader.column("SELECT 1 FROM users WHERE email='anna@example.org' AND active=1") == ["1"])
    try writer.connection.execute("ROLLBACK")
  }
}
