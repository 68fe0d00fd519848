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
    return Dictionary(grouping: try fixture.open(.read).check(), by: \.kind).mapValues { $0.map(\.subject) }
  }

  @Test func aSoundDatabaseHasNoFindings() throws {
    #expect(try kinds("") == [:])
  }

  @Test func eachThingThatIsWrongIsFound() throws {
    #expect(
      try kinds("INSERT INTO users (domain_id, password, email) VALUES (7, '\(someHash.text)', 'eve@example.org')")[
        "orphan"]
        == ["eve@example.org"])
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

  @Test func aModeThatLetsOthersReadIsAnError() throws {
    let fixture = try DatabaseFixture.old()
    #expect(chmod(fixture.path, 0o644) == 0)
    #expect(try fixture.open(.read).check().contains { $0.kind == "mode" && $0.severity == .error })
  }
}
