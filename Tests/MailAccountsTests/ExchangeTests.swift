import Testing

@testable import MailAccounts

@Suite struct ExchangeTests {
  private func export(_ fixture: DatabaseFixture, withPasswords: Bool = true) throws -> [UInt8] {
    var text = ""
    try fixture.open(.read).accounts(withPasswords: withPasswords).json { text += $0 }
    return Array(text.utf8)
  }

  @Test func anExportGivesTheSameDatabaseAgain() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.perform(.setLimits("bob@example.org", LimitsChange(receives: false, quota: .some(5))))
    try fixture.perform(.setActive("anna@example.org", false))
    let json = try export(fixture)
    let copy = try DatabaseFixture()
    _ = try copy.open(.create(owner: "root", group: "root"))
    try copy.perform(.import(AccountSet(json: json), prune: false))
    #expect(try export(copy) == json)
    #expect(try copy.perform(.import(AccountSet(json: json), prune: true)).changes.isEmpty)
  }

  @Test func withoutPasswordsThereAreNone() throws {
    let fixture = try DatabaseFixture.old()
    #expect(!String(decoding: try export(fixture, withPasswords: false), as: UTF8.self).contains("$6$"))
  }

  @Test func anImportShowsWhatItChanges() throws {
    let fixture = try DatabaseFixture.old()
    var set = AccountSet(
      domains: ["example.net"],
      users: [
        .init(email: "anna@example.org", isActive: false), .init(email: "Eva@Example.net", passwordHash: someHash.text),
      ],
      aliases: [.init(source: "hi@example.net", destination: "eva@example.net")])
    #expect(
      try fixture.perform(.import(set, prune: false), dryRun: true).changes.map(\.line) == [
        "+ domain example.net", "~ user anna@example.org: disabled", "+ user eva@example.net",
        "+ alias hi@example.net -> eva@example.net",
      ])
    set.domains.append("example.org")
    #expect(
      try fixture.perform(.import(set, prune: true), dryRun: true).changes.map(\.line).prefix(3) == [
        "- alias info@example.org -> anna@example.org", "- user bob@example.org", "+ domain example.net",
      ])
  }

  @Test func oneBadEntryStopsAllOfIt() throws {
    let fixture = try DatabaseFixture.old()
    func refusal(_ set: AccountSet) throws -> AccountError? { try fixture.refusal(of: .import(set, prune: false)) }
    let good = AccountSet.User(email: "carol@example.org", passwordHash: someHash.text)
    #expect(
      try refusal(AccountSet(users: [good, .init(email: "new@example.org")])) == .noPassword(email: "new@example.org"))
    #expect(try refusal(AccountSet(users: [good, good])) != nil)
    let unsound = AccountSet.User(email: "x@y@example.org", passwordHash: someHash.text)
    #expect(try refusal(AccountSet(users: [good, unsound])) != nil)
    #expect(
      try refusal(AccountSet(users: [.init(email: "x@gmail.com", passwordHash: someHash.text)]))
        == .unknownDomain(DomainName("gmail.com"), address: "x@gmail.com"))
    // Eleven to thirteen letters are an ancient hash to crypt(3), but more likely the password itself.
    #expect(try refusal(AccountSet(users: [.init(email: "new@example.org", passwordHash: "correcthorse1")])) != nil)
    let circle = ["a", "b"].map {
      AccountSet.Alias(source: "\($0)@example.org", destination: "\($0 == "a" ? "b" : "a")@example.org")
    }
    #expect(try refusal(AccountSet(users: [good], aliases: circle)) == .aliasLoop(["a@example.org", "b@example.org"]))
  }

  @Test(arguments: [
    #"{"users": [{"email": 3}]}"#, #"{"users": {}}"#, #"[]"#, #"{"schema": 2}"#, #"{"user": []}"#, #"{"users": ["#,
    #"{"domains": [], "domains": []}"#, #"{"users": [{"email": "a@b.example", "email": "c@b.example"}]}"#,
    #"{"users": [{"email": "a@b.example", "quota": -1}]}"#, #"{"users": [{"email": "a@b.example", "active": 7}]}"#,
  ])
  func whatIsNoExportIsSaidToBeThat(json: String) {
    #expect(throws: AccountError.self) { try AccountSet(json: Array(json.utf8)) }
  }

  @Test func theCatchAllOfAnImportLeavesUsersTheirMail() throws {
    let fixture = try DatabaseFixture.old()
    let set = AccountSet(aliases: [.init(source: "@example.org", destination: "anna@example.org")])
    try fixture.perform(.import(set, prune: false))
    #expect(try fixture.column("SELECT dst FROM aliases WHERE src='bob@example.org'") == ["bob@example.org"])
  }
}
