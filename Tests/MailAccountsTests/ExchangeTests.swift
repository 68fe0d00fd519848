import Testing

@testable import MailAccounts

@Suite struct ExchangeTests {
  private static let carol = ImportRow.user(ImportedUser(email: "carol@example.org", passwordHash: someHash.text))

  private func user(_ email: String, _ hash: String? = nil, isActive: Bool? = nil) -> ImportRow {
    .user(ImportedUser(email: email, passwordHash: hash, isActive: isActive))
  }

  private func alias(_ source: String, _ destination: String) -> ImportRow {
    .alias(ImportedAlias(source: source, destination: destination))
  }

  /// A new database, empty but for its tables.
  private func emptyDatabase() throws -> DatabaseFixture {
    let fixture = try DatabaseFixture()
    _ = try fixture.open(.create(owner: "root", group: "root"))
    return fixture
  }

  @Test func anExportGivesTheSameDatabaseAgain() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.perform(.setLimits("bob@example.org", LimitsChange(receives: false, quota: .some(5))))
    try fixture.perform(.setActive("anna@example.org", false))
    let json = try fixture.export()
    let copy = try emptyDatabase()
    try copy.importing(json: json)
    #expect(try copy.export() == json)
    #expect(try copy.importing(json: json, ImportOptions(prunes: true)).summary.isEmpty)
  }

  /// What the old program stored, of which mailcfg would refuse or change each.
  private static let leftovers = """
    INSERT INTO domains (name) VALUES ('localhost'), ('Upper.example'), ('bücher.example');
    INSERT INTO users (domain_id, password, email) VALUES
      (1, 'x', 'O''Neil@example.org'), (2, '', 'root@localhost'), (1, '{PLAIN}y', 'Anna@example.org'),
      (1, 'plain text', 'dora@example.org'), (9, '{PLAIN}z', 'ceo@removed.example');
    UPDATE users SET active=NULL WHERE email='dora@example.org';
    INSERT INTO aliases (domain_id, src, dst) VALUES
      (1, 'postmaster@example.org', 'anna@example.org, bob@example.org'), (1, 'Abuse@example.org', 'admin'),
      (9, 'info@removed.example', 'anna@example.org');
    """

  @Test func whateverAnOldProgramStoredIsNoChangeForItsOwnDatabase() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(Self.leftovers)
    let json = try fixture.export()
    for prunes in [false, true] {
      let (summary, lines) = try fixture.importing(json: json, ImportOptions(prunes: prunes))
      #expect(summary.isEmpty, "\(lines)")
    }
    // As an export of before says nothing of it.
    let unmarked = json.replacing(#","as_stored":true"#, with: "")
    #expect(unmarked != json)
    let (summary, lines) = try fixture.importing(json: unmarked)
    #expect(summary.isEmpty, "\(lines)")
  }

  @Test func whateverAnOldProgramStoredComesBackInANewDatabase() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(Self.leftovers)
    let copy = try emptyDatabase()
    let summary = try copy.importing(json: try fixture.export()).summary
    #expect(summary.warnings.contains(.leftOut("ceo@removed.example")))
    #expect(summary.warnings.contains { if case .keptAsStored = $0 { true } else { false } })
    let sql = [
      "SELECT name FROM domains ORDER BY name",
      "SELECT email || password || (active IS 1) FROM users WHERE email<>'ceo@removed.example' ORDER BY email",
      "SELECT src || ' ' || dst FROM aliases WHERE src<>'info@removed.example' ORDER BY src, dst",
    ]
    for sql in sql { #expect(try copy.column(sql) == fixture.column(sql)) }
  }

  @Test func aListInOneRowIsTheSameAsARowEach() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.execute(
      "INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'team@example.org', 'anna@example.org,bob@example.org')")
    let rows = [alias("team@example.org", "bob@example.org"), alias("team@example.org", "anna@example.org")]
    #expect(try fixture.importing(rows).summary.isEmpty)
    try fixture.execute(
      """
      DELETE FROM aliases WHERE src='team@example.org';
      INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'team@example.org', 'anna@example.org'), (1, 'team@example.org', 'bob@example.org');
      """)
    #expect(try fixture.importing([alias("team@example.org", "bob@example.org, Anna@example.org")]).summary.isEmpty)
  }

  @Test func withoutPasswordsThereAreNone() throws {
    #expect(!(try DatabaseFixture.old().export(withPasswords: false)).contains("$6$"))
  }

  @Test func anImportShowsWhatItChanges() throws {
    let fixture = try DatabaseFixture.old()
    let rows = [
      .domain("example.net", kept: false), user("anna@example.org", isActive: false),
      user("Eva@Example.net", someHash.text), alias("hi@example.net", "eva@example.net"),
    ]
    #expect(
      try fixture.importing(rows, dryRun: true).lines == [
        "+ domain example.net", "~ user anna@example.org: disabled", "+ user eva@example.net",
        "+ alias hi@example.net -> eva@example.net",
      ])
    let pruned = try fixture.importing(
      rows + [.domain("example.org", kept: false)], ImportOptions(prunes: true), dryRun: true)
    #expect(
      pruned.lines.prefix(3) == [
        "- alias info@example.org -> anna@example.org", "- user bob@example.org", "+ domain example.net",
      ])
    #expect(
      pruned.summary.removedUsers == 1 && pruned.summary.removedAliases == 1 && pruned.summary.removedDomains == 0)
  }

  @Test func oneBadEntryStopsAllOfIt() throws {
    let fixture = try DatabaseFixture.old()
    func refusal(_ rows: [ImportRow]) throws -> String? { try fixture.refusal(of: rows)?.description }
    #expect(try refusal([Self.carol, user("new@example.org")]) == #""new@example.org": it is new and has no password"#)
    #expect(try refusal([Self.carol, Self.carol])?.contains("twice") == true)
    #expect(try refusal([Self.carol, user("Carol@example.org", someHash.text)])?.contains("twice") == true)
    #expect(try refusal([Self.carol, user("x@y@example.org", someHash.text)])?.contains("more than one @") == true)
    #expect(try refusal([user("x@gmail.com", someHash.text)])?.contains("none of this host's") == true)
    // Eleven to thirteen letters are an ancient hash to crypt(3), but more likely the password itself.
    #expect(try refusal([user("new@example.org", "correcthorse1")])?.contains("no hash") == true)
    let circle = [alias("a@example.org", "b@example.org"), alias("b@example.org", "a@example.org")]
    #expect(try fixture.refusal(of: [Self.carol] + circle) == .aliasLoop(["a@example.org", "b@example.org"]))
  }

  @Test func allBadEntriesAreNamedAtOnce() throws {
    let fixture = try DatabaseFixture.old()
    let rows = (1...30).map { user("new\($0)@example.org") } + [user("no address", someHash.text)]
    guard case .refusedRows(let shown, let count)? = try fixture.refusal(of: rows) else {
      Issue.record("it was taken")
      return
    }
    #expect(shown.count == 20 && count == 31)
  }

  @Test func domainsAreMadeWhereThatIsWanted() throws {
    let fixture = try DatabaseFixture.old()
    let rows = [user("x@new.example", someHash.text), alias("y@other.example", "x@new.example")]
    #expect(try fixture.refusal(of: rows) != nil)
    let summary = try fixture.importing(rows, ImportOptions(makesDomains: true)).summary
    #expect(summary.newDomains == ["new.example", "other.example"] && summary.added == 4)
    #expect(
      try fixture.column("SELECT email FROM users WHERE domain_id=(SELECT id FROM domains WHERE name='new.example')")
        == ["x@new.example"])
  }

  @Test(arguments: [
    #"{"users": [{"email": 3}]}"#, #"{"users": {}}"#, #"[]"#, #"{"schema": 2}"#, #"{"user": []}"#, #"{"users": ["#,
    #"{"domains": [], "domains": []}"#, #"{"users": [{"email": "a@b.example", "email": "c@b.example"}]}"#,
    #"{"users": [{"email": "a@b.example", "quota": -1}]}"#, #"{"users": [{"email": "a@b.example", "active": 7}]}"#,
    "", "{", #"{"users": []"#, #"{"users": []}}"#, #"{"users": [] "aliases": []}"#, #"{"users": [{}{}]}"#,
    #"{"users" []}"#,
    #"{"users": [{"email": "a@b.example", "quota": +1}]}"#, #"{"users": [{"email": "a@b.example", "quota": 01}]}"#,
    "{\"users\": [{\"email\": \"a\nb@b.example\"}]}", #"{users: []}"#, #"{"users": [1,]}"#, "nothing", #"{"a": "#,
  ])
  func whatIsNoExportIsSaidToBeThat(json: String) {
    #expect(throws: AccountError.self) {
      _ = try ImportFile.read(json: ImportSource(Array(json.utf8))) { _ throws(AccountError) in }
    }
  }

  /// However the bytes arrive.
  @Test(arguments: [1, 2, 7, 1000]) func aFileMayComeInPieces(_ size: Int) throws {
    let json = #"""
       { "schema":1, "domains" :[ {"name":"a.example"}, {"name":"b{[,\"\\.example"} ],"users":[] ,
      "aliases": [{"src":"x@a.example","dst":"y@a.example"}] }

      """#
    var rest = Array(json.utf8)[...]
    var rows: [ImportRow] = []
    let source = ImportSource { () throws(AccountError) in
      defer { rest = rest.dropFirst(size) }
      return Array(rest.prefix(size))
    }
    let lists = try ImportFile.read(json: source) { (row) throws(AccountError) in rows.append(row) }
    #expect(
      rows == [
        .domain("a.example", kept: false), .domain("b{[,\"\\.example", kept: false),
        alias("x@a.example", "y@a.example"),
      ])
    #expect(lists == [.domains, .users, .aliases])
  }

  @Test func aMistakeInAFileIsSaidWithItsPlace() {
    let json = "{\"domains\": [],\n \"users\": [{\"email\": nope}]}"
    let error = #expect(throws: AccountError.self) {
      _ = try ImportFile.read(json: ImportSource(Array(json.utf8))) { _ throws(AccountError) in }
    }
    #expect(error == .invalid("no JSON at line 2, column 22"))
  }

  @Test func theCatchAllOfAnImportLeavesUsersTheirMail() throws {
    let fixture = try DatabaseFixture.old()
    let rows = [alias("@example.org", "anna@example.org"), Self.carol]
    try fixture.importing(rows)
    for user in ["bob", "carol"] {
      #expect(
        try fixture.column("SELECT dst FROM aliases WHERE src='\(user)@example.org'") == ["\(user)@example.org"])
    }
    #expect(try fixture.importing(rows).summary.isEmpty)
    // Beside a catch-all that is there already, too.
    try fixture.importing([user("dora@example.org", someHash.text)])
    #expect(try fixture.column("SELECT dst FROM aliases WHERE src='dora@example.org'") == ["dora@example.org"])
  }

  @Test func anImportWarnsOfDestinationsThatNobodyReads() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.perform(.setActive("bob@example.org", false))
    let rows = [
      alias("a@example.org", "bob@example.org"), alias("a@example.org", "nobody@example.org"),
      alias("b@example.org", "carol@example.org"), Self.carol,
    ]
    let summary = try fixture.importing(rows).summary
    #expect(
      summary.warnings == [
        .destinationIsDisabled("bob@example.org"), .deadEnd(source: "a@example.org", destination: "nobody@example.org"),
      ])
  }

  @Test func anImportThatWouldRemoveEverythingHasToBeMeant() throws {
    let fixture = try DatabaseFixture.old()
    let prune = ImportOptions(prunes: true)
    #expect(try fixture.refusal(of: [], prune) == .prunesAll("domains"))
    #expect(try fixture.refusal(of: [.domain("example.org", kept: false)], prune) == .prunesAll("users"))
    let summary = try fixture.importing([], ImportOptions(prunes: true, mayPruneAll: true)).summary
    #expect(summary.removedUsers == 2 && summary.removedDomains == 1 && summary.removedAliases == 1)
    #expect(try fixture.importing([], prune).summary.isEmpty, "there is nothing to lose any more")
  }

  @Test func whoStaysKeepsItsDomain() throws {
    let fixture = try DatabaseFixture.old()
    let rows: [ImportRow] = [.domain("other.example", kept: false), user("anna@example.org")]
    let refusal = try fixture.refusal(of: rows, ImportOptions(prunes: true))
    #expect(refusal?.description == #""anna@example.org": its domain is not in the import"#)
    let aliases = [
      .domain("other.example", kept: false), user("x@other.example", someHash.text),
      alias("info@example.org", "anna@example.org"),
    ]
    #expect(
      try fixture.refusal(of: aliases, ImportOptions(prunes: true))?.description.contains("info@example.org") == true)
  }

  @Test func aDomainThatUsersNeedIsNotRemovedWhereItWouldBeMade() throws {
    let fixture = try DatabaseFixture.old()
    let rows: [ImportRow] = [user("anna@example.org"), user("x@new.example", someHash.text)]
    let lines = try fixture.importing(rows, ImportOptions(prunes: true, mayPruneAll: true, makesDomains: true)).lines
    #expect(
      lines == [
        "- alias info@example.org -> anna@example.org", "- user bob@example.org", "+ domain new.example",
        "+ user x@new.example",
      ])
    #expect(try fixture.column("SELECT id || name FROM domains ORDER BY id") == ["1example.org", "2new.example"])
  }

  @Test func whoStaysBelongsToADomainThatStays() throws {
    let fixture = try DatabaseFixture.old()
    let json = try fixture.export()
    try fixture.execute(
      """
      INSERT INTO domains (name) VALUES ('example.net');
      UPDATE users SET domain_id=2 WHERE email='bob@example.org'; UPDATE aliases SET domain_id=2;
      """)
    let lines = try fixture.importing(json: json, ImportOptions(prunes: true)).lines
    #expect(
      lines == [
        "- domain example.net", "~ user bob@example.org: belongs to its own domain",
        "~ alias info@example.org -> anna@example.org: belongs to its own domain",
      ])
    #expect(try fixture.column("PRAGMA foreign_key_check").isEmpty)
    #expect(try fixture.column("SELECT count(*) FROM users") == ["2"])
  }

  @Test func aLargeImportIsMadeInPartsAndOnlyOnce() throws {
    let fixture = try DatabaseFixture.old()
    let rows = (1...25_000).map { user("u\($0)@example.org", someHash.text) }
    let summary = try fixture.importing(rows).summary
    #expect(summary.added == 25_000)
    #expect(try fixture.column("SELECT count(*) FROM users") == ["25002"])
    #expect(try fixture.importing(rows).summary.isEmpty)
  }
}
