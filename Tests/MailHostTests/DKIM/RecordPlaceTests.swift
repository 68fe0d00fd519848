import MailHost
import Testing

@Suite struct RecordPlaceTests {
  private func record(_ domain: String, _ selector: String, _ algorithm: KeyAlgorithm = .rsa) -> KeyRecord {
    KeyRecord(domain: domain, selector: selector, algorithm: algorithm, publicKey: "AA==")
  }

  private var service: NameService {
    var service = NameService()
    service.publishing.way = .nsupdate
    service.publishing.server = "192.0.2.2"
    service.domains["example.net"] = service.publishing
    service.domains["example.net"]?.way = .cname
    service.domains["example.net"]?.cnameBase = "dkim.example.org"
    return service
  }

  @Test func liesInTheDomainsOwnZone() {
    let place = service.place(of: record("example.org", "202601"))
    #expect(place.name == "202601._domainkey.example.org")
    #expect(place.publishing.way == .nsupdate)
  }

  @Test func liesWhereTheDomainsZoneLeadsTo() {
    let place = service.place(of: record("example.net", "mailhost2"))
    #expect(place.name == "mailhost2.example.net.dkim.example.org")
    #expect(place.publishing.way == .nsupdate && place.publishing.server == "192.0.2.2")
    #expect(
      service.place(of: record("example.net", "mailhost1e", .ed25519)).name == "mailhost1e.example.net.dkim.example.org"
    )
  }

  /// The zone does not lead anywhere for a selector from before it led: only a person can take that record out.
  @Test func aKeyFromBeforeLiesInTheDomainsOwnZone() {
    for selector in ["202001", "mailhost1e"] {
      let place = service.place(of: record("example.net", selector))
      #expect(place.name == "\(selector)._domainkey.example.net")
      #expect(place.publishing.way == .paste)
    }
  }
}
