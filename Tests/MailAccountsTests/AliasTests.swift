import Testing

@testable import MailAccounts

@Suite struct AliasTests {
  @Test func severalDestinationsAreARowEach() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.perform(.alias("all@example.org", "anna@example.org, Bob@Example.org,anna@example.org"))
    #expect(
      try fixture.column("SELECT dst FROM aliases WHERE src='all@example.org' ORDER BY dst") == [
        "anna@example.org", "bob@example.org",
      ])
    #expect(try fixture.perform(.removeAlias("all@example.org")).changes.count == 2)
  }

  /// As postfix asks: the address, then its catch-all.
  private func recipient(_ address: String, _ fixture: DatabaseFixture) throws -> [String] {
    let own = try fixture.column("SELECT dst FROM aliases WHERE src='\(address)' ORDER BY dst")
    return own.isEmpty ? try fixture.column("SELECT dst FROM aliases WHERE src='@example.org'") : own
  }

  @Test func aCatchAllLeavesUsersTheirMail() throws {
    let fixture = try DatabaseFixture.old()
    let outcome = try fixture.perform(.alias("@example.org", "anna@example.org"))
    #expect(outcome.warnings == [.keptFromCatchAll(count: 2, domain: "example.org")])
    #expect(try recipient("bob@example.org", fixture) == ["bob@example.org"])
    #expect(try recipient("nobody@example.org", fixture) == ["anna@example.org"])
    try fixture.perform(.user("carol@example.org"))
    #expect(try recipient("carol@example.org", fixture) == ["carol@example.org"])
    try fixture.perform(.removeUser("carol@example.org"))
    #expect(try recipient("carol@example.org", fixture) == ["anna@example.org"])
    try fixture.perform(.removeAlias("@example.org"))
    #expect(try fixture.column("SELECT src FROM aliases") == ["info@example.org"])
  }

  @Test func whoLosesHisAliasToACatchAllIsNamed() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.perform(.alias("@example.org", "anna@example.org"))
    #expect(
      try fixture.perform(.removeAlias("bob@example.org")).warnings == [.catchAllTakesMail(of: "bob@example.org")])
  }

  @Test func anAliasThatKeepsACopyOutlivesTheCatchAll() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.perform(.alias("bob@example.org", "bob@example.org,anna@example.org"))
    try fixture.perform(.alias("@example.org", "anna@example.org"))
    try fixture.perform(.removeAlias("@example.org"))
    #expect(try recipient("bob@example.org", fixture) == ["anna@example.org", "bob@example.org"])
  }

  @Test(arguments: [
    [("a@example.org", "b@example.org"), ("b@example.org", "a@example.org")],
    [("a@example.org", "b@example.org"), ("b@example.org", "c@example.org"), ("c@example.org", "a@example.org")],
    [("a@example.org", "x@example.org"), ("@example.org", "a@example.org")],
  ])
  func circlesAreRefused(aliases: [(String, String)]) throws {
    let fixture = try DatabaseFixture.old()
    for (source, destination) in aliases.dropLast() { try fixture.perform(.alias(source, destination)) }
    let last = try #require(aliases.last)
    guard case .aliasLoop(let path)? = try fixture.refusal(of: .alias(last.0, last.1)) else {
      Issue.record("the circle was accepted")
      return
    }
    #expect(path.count == aliases.count)
  }

  @Test func anAliasToItselfIsNoCircle() throws {
    let fixture = try DatabaseFixture.old()
    #expect(try fixture.perform(.alias("anna@example.org", "anna@example.org, bob@example.org")).changes.count == 2)
    #expect(try fixture.perform(.alias("@example.org", "info@example.org")).changes.count == 2)
  }

  @Test func deadEndsAndDisabledUsersAreWarnedOf() throws {
    let fixture = try DatabaseFixture.old()
    try fixture.perform(.setActive("bob@example.org", false))
    #expect(
      try fixture.perform(.alias("team@example.org", "bob@example.org,nobody@example.org,else@where.example")).warnings
        == [
          .destinationIsDisabled("bob@example.org"),
          .deadEnd(source: "team@example.org", destination: "nobody@example.org"),
        ])
    #expect(
      try fixture.perform(.alias("anna@example.org", "else@where.example")).warnings == [
        .aliasTakesMail(of: "anna@example.org")
      ])
  }
}
