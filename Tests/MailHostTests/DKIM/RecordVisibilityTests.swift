import DNS
import MailHost
import Testing

struct RecordVisibilityTests {
  private static let record = KeyRecord(
    domain: "example.org", selector: "k", algorithm: .rsa, publicKey: "ABCDEFGH")

  private func fault(_ texts: String...) -> String? {
    let source = Sighting.Source.authoritative(host: "ns.example.org", DNSServer(address: "192.0.2.1"))
    let records = texts.map { DNSRecord(Self.record.name, .txt, .text(Array($0.utf8))) }
    let seen = RecordVisibility(
      [Sighting(Self.record.name, source, .records(records))], of: Self.record, forms: ["ABCDEFGH", "BARE"])
    #expect(seen.isEverywhere == seen.other.isEmpty)
    return seen.other.values.first
  }

  @Test(arguments: [
    "v=DKIM1; k=rsa; p=ABCDEFGH", "v=DKIM1;p=ABCD EFGH;", "p=ABCDEFGH", "v=DKIM1; h=sha256; s=email; t=s; p=BARE",
    "v=DKIM1; k=RSA; n=a note; p=ABCDEFGH",
  ]) func aRecordThatVerifiersTakeIsTheKeys(text: String) {
    #expect(fault(text) == nil)
  }

  @Test(arguments: [
    ("v=DKIM1; k=rsa; p=ABCD", "a key that was cut short"), ("v=DKIM1; k=rsa; p=XYZ", "another key"),
    ("v=DKIM1; p=", "a key that was revoked (p= is empty)"), ("v=DKIM2; p=ABCDEFGH", "a record of another version"),
    ("k=rsa; v=DKIM1; p=ABCDEFGH", "a record of another version"),
    ("v=DKIM1; k=ed25519; p=ABCDEFGH", "a key of another type (k=)"),
    ("v=DKIM1; h=sha1; p=ABCDEFGH", "a key that is not for sha256 (h=)"),
    ("v=DKIM1; s=other; p=ABCDEFGH", "a key that is not for mail (s=)"), ("v=spf1 -all", "a text that is no key"),
  ]) func aRecordThatVerifiersDoNotTakeIsNamed(text: String, reason: String) {
    #expect(fault(text) == reason)
  }

  @Test func twoKeysAtOneNameAreNone() {
    #expect(fault("v=DKIM1; p=ABCDEFGH", "v=DKIM1; p=OTHER") == "2 keys at one name")
    #expect(fault("v=DKIM1; p=ABCDEFGH", "some other text") == nil)
  }

  @Test func whatOnlyAResolverRemembersIsNotPublished() {
    let seen = RecordVisibility(
      [
        Sighting(
          Self.record.name, .authoritative(host: "ns.example.org", DNSServer(address: "192.0.2.1")), .failure(.refused)),
        Sighting(
          Self.record.name, .resolver(DNSServer(address: "127.0.0.1")),
          .records([DNSRecord(Self.record.name, .txt, .text(Array("p=ABCDEFGH".utf8)))])),
      ], of: Self.record, forms: ["ABCDEFGH"])
    #expect(!seen.isEverywhere && !seen.isNowhere)
  }

  @Test func aServerThatRefusesEverybodyHoldsNothingUpAndOneThatIsSilentDoes() {
    let shown = Sighting(
      Self.record.name, .authoritative(host: "ns1.example.org", DNSServer(address: "192.0.2.1")),
      .records([DNSRecord(Self.record.name, .txt, .text(Array("p=ABCDEFGH".utf8)))]))
    func other(_ failure: Sighting.Failure) -> RecordVisibility {
      RecordVisibility(
        [
          shown,
          Sighting(
            Self.record.name, .authoritative(host: "ns2.example.org", DNSServer(address: "192.0.2.2")),
            .failure(failure)),
        ], of: Self.record, forms: ["ABCDEFGH"])
    }
    #expect(other(.refused).isEverywhere)
    #expect(other(.refused).remarks == ["ns2.example.org (192.0.2.2) refuses to answer (REFUSED)"])
    #expect(!other(.noAnswer).isEverywhere)
    #expect(other(.noAnswer).obstacles == ["ns2.example.org (192.0.2.2) does not answer"])
    #expect(!other(.serverFailure).isEverywhere)
  }
}

struct SigningTableTests {
  @Test func whatIsWrittenIsReadBack() throws {
    let table = SigningTable(selectors: ["example.org": ["202611"], "club.example": ["202611", "202611e"]])
    let text = table.text(directory: "/vault/dkim")
    #expect(try SigningTable(reading: text) == table)
    #expect(
      text.contains(
        "\"example.org\" { selectors = [ { selector = \"202611\"; path = \"/vault/dkim/example.org.202611.key\"; } ]; }\n"
      ))
  }

  @Test(arguments: [
    "\"example.org\" { selector = \"202611\"; }",
    "\"example.org\" { selectors = [ { selector = \"a\"; path = \"/elsewhere/key\"; } ]; }", "try_fallback = false;",
    "\"example.org\" { selectors = [ { selector = \"a\"; path = \"/vault/dkim/example.org.b.key\"; } ]; }",
  ]) func aLineOfSomebodyElsesIsNotGuessedAt(line: String) {
    #expect(throws: SigningTable.Fault(line: 2)) { try SigningTable(reading: "# ours\n" + line + "\n") }
  }

  @Test func keysElsewhereSignNothing() throws {
    let text = SigningTable(selectors: ["example.org": ["202611"]]).text(directory: "/old/dkim")
    #expect(try SigningTable(reading: text, directory: "/old/dkim").selectors.count == 1)
    let line = text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.hasPrefix("\"") } ?? 0
    #expect(throws: SigningTable.Fault(line: line + 1, directory: "/old/dkim")) {
      try SigningTable(reading: text, directory: "/vault/dkim")
    }
  }

  @Test func aLongRecordIsCutIntoPiecesOf255Bytes() {
    let record = KeyRecord(
      domain: "example.org", selector: "k", algorithm: .rsa, publicKey: String(repeating: "A", count: 392))
    let pieces = record.quotedText.split(separator: " ").count
    #expect(record.quotedText.split(separator: "\"").filter { $0 != " " }.map(\.utf8.count) == [255, 155])
    #expect(pieces > 1)
    #expect(record.text.utf8.count == 255 + 155)
  }

  @Test(arguments: [
    ("v=DKIM1; k=rsa; p=ABCDEFGH", true), ("v=DKIM1; k=rsa; p=XYZ", true), ("v=DKIM1; p=", true),
    ("v=spf1 -all", false),
  ]) func aNameWithAKeyOfBeforeIsSeen(text: String, hasKey: Bool) {
    let source = Sighting.Source.authoritative(host: "ns.example.org", DNSServer(address: "192.0.2.1"))
    let record = KeyRecord(domain: "example.org", selector: "k", algorithm: .rsa, publicKey: "")
    let sightings = [
      Sighting(record.name, source, .records([DNSRecord(record.name, .txt, .text(Array(text.utf8)))]))
    ]
    #expect(RecordVisibility(sightings, of: record, forms: []).hasKey == hasKey)
    #expect(!RecordVisibility([Sighting(record.name, source, .nothing)], of: record, forms: []).hasKey)
  }
}
