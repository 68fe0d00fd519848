import Testing

@testable import MailAccounts

@Suite struct AliasArgumentTests {
  private func sourceRefusal(_ input: String) -> String? {
    error { () throws(NameError) in _ = try AliasSource(input) }?.reason
  }

  private func destinationsError(_ input: String) -> NameError? {
    error { () throws(NameError) in _ = try AliasDestinations(input) }
  }

  @Test func aSourceIsAnAddressOrAWholeDomain() throws {
    #expect(try AliasSource(" Info@Example.org ") == .address(EmailAddress("info@example.org")))
    #expect(try AliasSource(" @Example.org\n") == .catchAll(DomainName("example.org")))
    #expect(try AliasSource("@bücher.example").text == "@xn--bcher-kva.example")
    #expect(try AliasSource("info@example.org").text == "info@example.org")
    #expect(try AliasSource("@example.org").domain == AliasSource("info@example.org").domain)
  }

  @Test(arguments: [
    ("", "it is empty"),
    ("@", "the domain is empty"),
    ("@@example.org", "the domain contains \"@\" (U+0040): only letters, digits, hyphens and dots are allowed"),
    ("@localhost", "the domain has no dot: a mail domain looks like example.org"),
    ("example.org", "it has no @"),
    ("*@example.org\0", "the domain contains a NUL"),
    ("@ example.org", "the domain contains white space (U+0020)"),
  ])
  func aSourceIsRefusedWithTheReason(input: String, reason: String) {
    #expect(sourceRefusal(input) == reason)
  }

  @Test func destinationsAreKeptInOrderAndOnce() throws {
    let destinations = try AliasDestinations("b@example.org, A@example.org ,\tB@EXAMPLE.org\n")
    #expect(destinations.addresses.map(\.text) == ["b@example.org", "a@example.org"])
    #expect(try AliasDestinations("a@example.org").addresses.count == 1)
  }

  @Test(arguments: [
    "", " ", ",", "a@example.org,", ",a@example.org", "a@example.org,,b@example.org", "a@example.org, ,b@example.org",
  ])
  func anEmptyDestinationIsRefused(input: String) {
    #expect(destinationsError(input)?.input == input)
  }

  @Test func allOfADomainIsWrittenWithoutAnAsterisk() throws {
    #expect(sourceRefusal("*@Example.org")?.contains("written @example.org") == true)
    #expect(destinationsError("*@example.org")?.reason.contains("@DOMAIN") == true)
  }

  @Test func allOfADomainMayLeadToAllOfAnother() throws {
    let source = try AliasSource("@old.example")
    #expect(
      try AliasDestinations("@New.example, anna@example.org", of: source).addresses.map(\.text) == [
        "@new.example", "anna@example.org",
      ])
    #expect(throws: NameError.self) { try AliasDestinations("@new.example", of: AliasSource("info@old.example")) }
  }

  @Test func aUserOfTheSystemIsADestinationWhereItsHostIsThisOne() throws {
    let isLocal = { (host: String) in host == "localhost" || host == "mail" }
    #expect(
      try AliasDestinations("Root@LocalHost,x@mail", isLocal: isLocal).addresses.map(\.text) == [
        "root@localhost", "x@mail",
      ])
    #expect(throws: NameError.self) { try AliasDestinations("root@other", isLocal: isLocal) }
    #expect(throws: NameError.self) { try AliasDestinations("a b@localhost", isLocal: isLocal) }
  }

  @Test func theDestinationThatIsNoneIsNamed() {
    let found = destinationsError("a@example.org,b@,c@example.org")
    #expect(found?.description == "\"b@\" is no alias destination: the domain is empty")
    #expect(destinationsError("a@example.org b@example.org")?.reason == "it has more than one @")
    #expect(destinationsError("@example.org")?.reason == "the part before the @ is empty")
  }
}
