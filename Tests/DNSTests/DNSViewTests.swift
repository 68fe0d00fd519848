import DNS
import Testing

/// Servers that say what a test has them say.
private struct Servers: NameServerAsking {
  /// By address: what each says of `NAME TYPE`; what is not there is NXDOMAIN.
  var said: [String: [String: DNSAnswer]]

  func ask(
    _ name: String, _ type: DNSType, of server: DNSServer, recursive: Bool, unchecked: Bool
  ) throws(DNSError) -> DNSAnswer {
    guard let answers = said[server.address] else { throw DNSError(.noAnswer, "\(server.text) does not answer") }
    return answers["\(name) \(type.text)" + (unchecked ? " CD" : "")] ?? answers["*"]
      ?? DNSAnswer(
        status: .noSuchName, isAuthoritative: !recursive,
        authority: [DNSRecord("example.org", .soa, .soa(primary: "ns1.example.org", serial: 1))])
  }
}

private func answer(_ records: DNSRecord..., authoritative: Bool = false) -> DNSAnswer {
  DNSAnswer(status: .noError, isAuthoritative: authoritative, records: records)
}

struct DNSViewTests {
  private static let key = DNSRecord("k._domainkey.example.org", .txt, .text(Array("v=DKIM1; p=KEY".utf8)))

  /// A resolver that knows two servers of example.org.
  private static let resolver: [String: DNSAnswer] = [
    "example.org NS": answer(
      DNSRecord("example.org", .ns, .name("ns1.example.org")), DNSRecord("example.org", .ns, .name("ns2.example.org"))),
    "ns1.example.org A": answer(DNSRecord("ns1.example.org", .a, .address("192.0.2.1"))),
    "ns2.example.org A": answer(DNSRecord("ns2.example.org", .a, .address("192.0.2.2"))),
  ]

  private func outcomes(_ said: [String: [String: DNSAnswer]], resolver: [String: DNSAnswer] = [:]) throws
    -> [String: Sighting.Outcome]
  {
    var said = said
    said["127.0.0.1"] = Self.resolver.merging(resolver) { $1 }
    let view = DNSView(Servers(said: said), resolvers: [DNSServer(address: "127.0.0.1")])
    let sightings = try view.everywhere("k._domainkey.example.org", .txt)
    return Dictionary(sightings.map { ($0.sourceText, $0.outcome) }) { first, _ in first }
  }

  @Test func eachServerAndEachResolverIsAskedItself() throws {
    let seen = try outcomes(
      [
        "192.0.2.1": ["k._domainkey.example.org TXT": answer(Self.key, authoritative: true)],
        "192.0.2.2": [:],
      ], resolver: ["k._domainkey.example.org TXT": answer(Self.key)])
    #expect(
      seen == [
        "ns1.example.org (192.0.2.1)": .records([Self.key]), "ns2.example.org (192.0.2.2)": .nothing,
        "resolver 127.0.0.1": .records([Self.key]),
      ])
  }

  @Test func whatAServerAddsUnaskedIsNotBelieved() throws {
    let other = DNSRecord("other.example.org", .txt, Self.key.data)
    let seen = try outcomes([
      "192.0.2.1": ["k._domainkey.example.org TXT": answer(other, authoritative: true)], "192.0.2.2": [:],
    ])
    #expect(seen["ns1.example.org (192.0.2.1)"] == .nothing)
  }

  @Test func refusalsFailuresAndSilenceAreToldApart() throws {
    let seen = try outcomes(
      ["192.0.2.1": ["*": DNSAnswer(status: .refused)]],
      resolver: [
        "k._domainkey.example.org TXT": DNSAnswer(status: .serverFailure),
        "k._domainkey.example.org TXT CD": answer(Self.key),
      ])
    #expect(seen["ns1.example.org (192.0.2.1)"] == .failure(.refused))
    #expect(seen["ns2.example.org (192.0.2.2)"] == .failure(.noAnswer))
    #expect(seen["resolver 127.0.0.1"] == .failure(.bogus))
  }

  @Test func aServerThatOnlyPassesOnHasNotTheZone() throws {
    let seen = try outcomes([
      "192.0.2.1": ["k._domainkey.example.org TXT": answer(Self.key)], "192.0.2.2": [:],
    ])
    #expect(seen["ns1.example.org (192.0.2.1)"] == .failure(.notAuthoritative))
  }

  @Test func anAliasIsFollowedToTheServersOfItsTarget() throws {
    let alias = DNSRecord("k._domainkey.example.org", .cname, .name("k.keys.example.net"))
    let target = DNSRecord("k.keys.example.net", .txt, Self.key.data)
    let seen = try outcomes(
      [
        "192.0.2.1": ["k._domainkey.example.org TXT": answer(alias, authoritative: true)],
        "192.0.2.2": ["k._domainkey.example.org TXT": answer(alias, authoritative: true)],
        "192.0.2.9": ["k.keys.example.net TXT": answer(target, authoritative: true)],
      ],
      resolver: [
        "k._domainkey.example.org TXT": answer(alias, target),
        "k.keys.example.net SOA": DNSAnswer(
          status: .noError,
          authority: [DNSRecord("example.net", .soa, .soa(primary: "ns.example.net", serial: 1))]),
        "example.net NS": answer(DNSRecord("example.net", .ns, .name("ns.example.net"))),
        "ns.example.net A": answer(DNSRecord("ns.example.net", .a, .address("192.0.2.9"))),
      ])
    #expect(seen["ns1.example.org (192.0.2.1)"] == .alias("k.keys.example.net"))
    #expect(seen["ns.example.net (192.0.2.9)"] == .records([target]))
    #expect(seen["resolver 127.0.0.1"] == .records([target]))
  }

  @Test func aliasesThatGoRoundEnd() throws {
    let alias = DNSRecord("k._domainkey.example.org", .cname, .name("k._domainkey.example.org"))
    let answers = ["k._domainkey.example.org TXT": answer(alias, authoritative: true)]
    let seen = try outcomes(["192.0.2.1": answers, "192.0.2.2": answers], resolver: answers)
    #expect(seen["resolver 127.0.0.1"] == .nothing)
  }

  @Test func withoutAResolverNothingIsKnown() {
    let view = DNSView(Servers(said: [:]), resolvers: [])
    #expect(throws: DNSError.self) { try view.everywhere("k._domainkey.example.org", .txt) }
  }

  @Test func aNameThatIsNoneIsRefused() {
    #expect(throws: DNSError.self) {
      try DNSClient().ask(
        "a..b", .txt, of: DNSServer(address: "127.0.0.1"), recursive: true, unchecked: false)
    }
    #expect(throws: DNSError.self) {
      try DNSClient().ask(
        "example.org", .txt, of: DNSServer(address: "ns.example.org"), recursive: true, unchecked: false)
    }
  }

  @Test func nobodyListeningIsNoAnswer() {
    let error = #expect(throws: DNSError.self) {
      try DNSClient().ask(
        "example.org", .txt, of: DNSServer(address: "127.0.0.1", port: 9), recursive: true, unchecked: false)
    }
    #expect(error?.reason == .noAnswer)
  }
}
