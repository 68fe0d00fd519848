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

  /// Its number is another domain's: postfix goes by the address.
  @Test func aUserGoesWithTheDomainOfItsAddress() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(
      """
      INSERT INTO domains (name) VALUES ('example.net');
      UPDATE users SET domain_id=2 WHERE email='bob@example.org'; UPDATE aliases SET domain_id=2;
      """)
    let outcome = try fixture.perform(.removeDomain("example.net"), dryRun: true)
    #expect(
      outcome.changes.map(\.line) == [
        "~ alias info@example.org -> anna@example.org: belongs to its own domain",
        "~ user bob@example.org: belongs to its own domain", "- domain example.net",
      ])
    try fixture.perform(.removeDomain("example.org"))
    #expect(try fixture.column("SELECT email FROM users") == [])
    #expect(try fixture.column("SELECT src FROM aliases") == [])
    let other = try DatabaseFixture.old()
    try other.execute("INSERT INTO domains (name) VALUES ('example.net'); UPDATE users SET domain_id=2")
    try other.perform(.removeDomain("example.net"))
    #expect(try other.column("SELECT DISTINCT domain_id FROM users") == ["1"])
    #expect(try other.column("PRAGMA foreign_key_check").isEmpty)
  }

  /// As the old program leaves them: its removal of a domain left the users.
  @Test func aNewDomainGetsNobodyElsesUsers() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute("DELETE FROM domains")
    try fixture.perform(.addDomain(DomainName("other.example")))
    #expect(try fixture.column("SELECT id FROM domains") == ["2"])
    var users: [String] = []
    try fixture.open(.read).users(ListFilter(domain: "other.example")) { users.append($0.email) }
    #expect(users == [])
    try fixture.perform(.removeDomain("other.example"))
    #expect(try fixture.column("SELECT count(*) FROM users") == ["2"])
    // Its own ones get it back.
    try fixture.perform(.addDomain(DomainName("example.org")))
    #expect(try fixture.column("PRAGMA foreign_key_check").isEmpty)
    #expect(try fixture.column("SELECT count(*) FROM users WHERE domain_id=(SELECT id FROM domains)") == ["2"])
  }

  @Test func aDomainInCapitalsGetsTheFormThatPostfixLooksFor() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute("UPDATE domains SET name='Example.ORG'")
    #expect(
      try fixture.perform(.addDomain(DomainName("example.org"))).changes.map(\.line) == [
        "~ domain Example.ORG: now example.org"
      ])
    #expect(try fixture.column("SELECT id || name FROM domains") == ["1example.org"])
    #expect(try fixture.perform(.addDomain(DomainName("example.org"))).changes.isEmpty)
  }

  @Test func aDomainIsFoundInBothOfItsForms() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute("INSERT INTO domains (name) VALUES ('bücher.example'), ('xn--mnchen-3ya.example')")
    let database = try fixture.open(.read)
    for typed in ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example"] {
      #expect(try database.domain(typed).name == "bücher.example", "\(typed)")
    }
    #expect(try database.domain("München.example").name == "xn--mnchen-3ya.example")
  }

  @Test func aUserThatCannotLogInIsWarnedOf() throws {
    let fixture = try DatabaseFixture.old()
    guard case .noLogin("a&b+c@example.org", _)? = try fixture.perform(.user("a&b+c@example.org")).warnings.first else {
      Issue.record("no warning")
      return
    }
    #expect(try fixture.open(.read).check().contains { $0.kind == "login" && $0.subject == "a&b+c@example.org" })
  }

  @Test func whatWasFoundOutIsFoundOutAnewAfterAChange() throws {
    let fixture = try DatabaseFixture.old()
    // Between the finding out and the making.
    let outcome = try fixture.open().perform(.user("carol@example.org")) { _ in
      try? fixture.execute("INSERT INTO aliases (domain_id, src, dst) VALUES (1, '@example.org', 'anna@example.org')")
      return true
    }
    #expect(outcome?.changes.last == .addAlias(source: "carol@example.org", destination: "carol@example.org"))
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
    var changes = try ChangeWriter(writer.connection, needsLimits: false)
    for number in 1...20_000 {
      let change = Change.addUser(email: "u\(number)@example.org", hash: "x", isActive: true, limits: Limits())
      try changes.write(change, to: writer.connection)
    }
    // As postfix reads: with no busy timeout.
    let reader = try SQLiteConnection(path: fixture.path, access: .readOnly, busyMilliseconds: 0)
    #expect(try reader.column("SELECT 1 FROM users WHERE email='anna@example.org' AND active=1") == ["1"])
    try writer.connection.execute("ROLLBACK")
  }
}
