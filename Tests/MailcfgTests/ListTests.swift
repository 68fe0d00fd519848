import Foundation
import Testing

/// Lists in every format.
struct ListTests {
  private static let more = """
    INSERT INTO domains VALUES (2, 'example.net');
    INSERT INTO users VALUES (2, 2, 'x', 'ann@example.net', 0), (3, 2, 'x', 'bob@example.net', 1);
    INSERT INTO aliases VALUES (5, 2, 'info@example.net', 'bob@example.net');
    """

  @Test func textIsThatOfTheOldScript() throws {
    let mailcfg = try Mailcfg(Self.more)
    #expect(try mailcfg("lsdom").output == "example.net (id 2)\nexample.org (id 1)\n")
    #expect(try mailcfg("lsuser").output == "ann@example.net (DISABLED)\nbob@example.net\njoe@example.org\n")
    #expect(try mailcfg("lsuser", "example.org").output == "joe@example.org\n")
    #expect(try mailcfg("lsalias", "EXAMPLE.net").output == "5\tinfo@example.net\tbob@example.net\n")
  }

  @Test func filtersChooseRows() throws {
    let mailcfg = try Mailcfg(Self.more)
    #expect(try mailcfg("lsuser", "--disabled").output == "ann@example.net (DISABLED)\n")
    #expect(try mailcfg("--domain=example.net", "lsuser", "--enabled").output == "bob@example.net\n")
    #expect(try mailcfg("lsuser", "--search", "OE@").output == "joe@example.org\n")
    #expect(try mailcfg("lsalias", "--search", "bob").lines.count == 1)
    let none = try mailcfg("lsuser", "example.com")
    #expect(none.status == 0 && none.output == "" && none.complaint.contains("no domain example.com"))
  }

  /// As the old script stored it.
  @Test func aDomainIsListedWhateverItsForm() throws {
    let mailcfg = try Mailcfg("UPDATE domains SET name='Example.org'; INSERT INTO domains VALUES (2, 'example.net');")
    #expect(try mailcfg("lsuser", "example.org").output == "joe@example.org\n")
    // Its number is another domain's.
    try mailcfg.run("/usr/bin/sqlite3", [mailcfg.database, "UPDATE users SET domain_id=2"])
    #expect(try mailcfg("lsuser", "Example.ORG").output == "joe@example.org\n")
    #expect(try mailcfg("lsuser", "example.net").output == "")
  }

  @Test func jsonHasTheColumnsAndNoPassword() throws {
    struct User: Decodable, Equatable {
      var id: Int
      var email: String
      var active: Bool
      var receives: Bool
      var sends: Bool
      var quota: Int?
      var domain: String
    }
    let mailcfg = try Mailcfg(Self.more)
    let json = try mailcfg("lsuser", "--format=json").output
    let users = try JSONDecoder().decode([User].self, from: Data(json.utf8))
    #expect(
      users.first
        == User(
          id: 2, email: "ann@example.net", active: false, receives: true, sends: true, quota: nil,
          domain: "example.net"))
    #expect(users.count == 3 && !json.contains("password") && !json.contains("secret"))
    #expect(try mailcfg("lsuser", "--search", "nobody", "--format", "json").output == "[]\n")
  }

  @Test func fieldsStayInOneLine() throws {
    let mailcfg = try Mailcfg("INSERT INTO aliases VALUES (5, 1, 'a' || char(9, 10) || '\\b', '\u{1b}[31mx');")
    #expect(try mailcfg("lsalias", "--format", "tsv").output == "5\ta\\t\\n\\\\b\t\\x1b[31mx\n")
    let json = try mailcfg("lsalias", "--format", "json").output
    #expect(json.contains(#""src":"a\t\n\\b","dst":"\u001b[31mx""#))
  }

  @Test func aTerminalGetsATable() throws {
    let mailcfg = try Mailcfg(Self.more)
    let run = try mailcfg.run(
      "/usr/bin/script", ["-qec", "NO_COLOR=1 '\(try Mailcfg.path)' lsuser --db '\(mailcfg.database)'", "/dev/null"])
    let lines = run.output.replacingOccurrences(of: "\r", with: "").split(separator: "\n")
    #expect(lines.first == "ID  EMAIL            STATUS    MAIL  QUOTA")
    #expect(lines.dropFirst().first == "2   ann@example.net  disabled")
  }
}
