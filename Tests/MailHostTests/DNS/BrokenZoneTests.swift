import DNS
import Foundation
import TestSupport
import Testing

@testable import MailHost

/// Domains whose records our own `mailhost dns` has made, each with something broken, on real name servers.
@Suite(.serialized)
struct BrokenZoneTests {
  /// One of the domains with its host.
  private struct Host {
    let zone: String
    let settings: HostSettings
    let facts: RecordFacts

    init(_ number: Int) throws {
      zone = "c\(number).zz"
      var settings = try hostSettings([
        "mailhost.toml": """
        mail_server_hostname = "mail.\(zone)"
        admin_email = "alice@\(zone)"
        mail_domains = ["\(zone)"]
        dkim_selector = "202601"
        [web]
        root = "/var/www/mailhost"
        [dns]
        lists = ["list.zz"]
        silent_names = ["www.\(zone)"]
        """
      ])
      settings.managesieve = true
      self.settings = settings
      var facts = RecordFacts()
      facts.addresses = ["192.0.2.\(number)", "2001:db8::\(String(number, radix: 16))"].compactMap(IPAddress.init)
      facts.domains = [zone]
      let key = "MIIB" + String(repeating: "IjANBgkqhkiG9w0BAQEF", count: 19) + "=="
      let record = KeyRecord(domain: zone, selector: "202601", algorithm: .rsa, publicKey: key)
      facts.keys = [.init(record: record, forms: [key], place: record.name, signs: true)]
      facts.certificate = .init(whole: [1, 2, 3], publicKey: [4, 5, 6], issuer: "letsencrypt.org", keepsKey: true)
      facts.isHostZoneSigned = false
      self.facts = facts
    }

    var wanted: WantedRecords { WantedRecords(settings, facts) }

    /// `@` for the domain, so that a case can be written down.
    func lines(_ broken: BrokenZone) -> [String] {
      let own = wanted.all.filter { $0.unless == nil && !$0.isReverse }.map(\.record.zoneLine)
        .map { $0.replacingOccurrences(of: zone, with: "@") }
      let servers = ["ns1.@. 60 IN A 198.51.100.1", "ns2.@. 60 IN A 198.51.100.2"]
      return (own + servers).compactMap(broken.change) + broken.added
    }

    func filled(_ lines: [String]) -> [String] {
      ["@. 60 IN SOA ns1.@. h.@. 1 60 60 1000 2", "@. 60 IN NS ns1.@.", "@. 60 IN NS ns2.@."].map(filled)
        + lines.map(filled)
    }

    func filled(_ text: String) -> String {
      text.replacingOccurrences(of: "{A}", with: facts.addresses[0].text)
        .replacingOccurrences(of: "{AAAA}", with: facts.addresses[1].text).replacingOccurrences(of: "@", with: zone)
        // The sign in an address.
        .replacingOccurrences(of: "postmaster" + zone + zone, with: "postmaster@" + zone)
        .replacingOccurrences(of: "reports" + zone, with: "reports@")
    }
  }

  private static func head(_ zone: String) -> [String] {
    ["\(zone). 60 IN SOA ns.zz. h.zz. 1 60 60 1000 2", "\(zone). 60 IN NS ns.zz."]
  }

  private func world(_ cases: [(BrokenZone, Host)]) throws -> ZoneWorld {
    var first: [String: [String]] = [:]
    var second: [String: [String]] = [:]
    let (four, six) = ("2.0.192.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa")
    for zone in [four, six, "list.zz"] { first[zone] = Self.head(zone) }
    first["zz"] =
      Self.head("zz") + [
        "ns.zz. 60 IN A 198.51.100.1", "ok.zz. 60 IN A 203.0.113.9",
        "_spf.zz. 60 IN TXT \"v=spf1 ip4:203.0.113.0/24 -all\"",
        "_many.zz. 60 IN TXT \"v=spf1 a:ok.zz a:ok.zz a:ok.zz a:ok.zz a:ok.zz -all\"",
      ]
    for (broken, host) in cases {
      let lines = host.lines(broken)
      first[host.zone] = host.filled(lines)
      if let change = broken.second {
        let other = change(lines)
        if !other.isEmpty { second[host.zone] = host.filled(other) }
      } else {
        second[host.zone] = host.filled(lines)
      }
      for (index, address) in host.facts.addresses.enumerated() {
        // The case is about the first; the second always has its name.
        let names = (index == 0 ? broken.reverse : nil) ?? ["mail.@."]
        first[address.isSix ? six : four]! += names.map { host.filled("\(address.reverseName). 60 IN PTR \($0)") }
      }
      first["list.zz"]! += broken.listed.map { "\(host.facts.addresses[0].reversedLabels).list.zz. 60 IN A \($0)" }
    }
    return try ZoneWorld([first, second])
  }

  private func findings(_ host: Host, _ broken: BrokenZone, _ world: ZoneWorld) -> [DNSFinding] {
    let view = DNSView(
      world.asking, resolvers: [DNSServer(address: "198.51.100.53")], asksSilentOnesAgain: false)
    let check = DNSCheck(host.settings, host.facts, view) { url in
      guard url == "https://mta-sts.\(host.zone)/.well-known/mta-sts.txt", let policy = broken.policy else {
        return .failure(DNSCheck.PolicyFailure("Connection refused"))
      }
      return .success(host.filled(policy))
    }
    return check.run(domains: [host.zone], withHost: true, today: "2026-11-30")
  }

  @Test func everyFindingIsNamedRight() throws {
    let cases = try BrokenZone.all.enumerated().map { ($1, try Host($0 + 1)) }
    #expect(cases.count > 60)
    let world = try world(cases)
    defer { world.stop() }
    for (broken, host) in cases {
      let found = findings(host, broken, world)
      let bad = found.filter { $0.severity > 0 }
      #expect(
        Set(bad.map { "\($0.subject.rawValue) \($0.result.rawValue)" }) == broken.expected,
        "\(broken.name): \(bad.map { "\($0.name) \($0.result.rawValue): \($0.text)" })")
      #expect(found.count > 15, "\(broken.name)")
      // What is bad says what to do, or is a question of time.
      for finding in bad where finding.severity == 2 { #expect(finding.hint != nil || finding.text.count > 20) }
    }
  }

  @Test func whatIsMutedDoesNotCountUntilItsDay() throws {
    let broken = BrokenZone.all[1]
    var host = try Host(1)
    let world = try world([(broken, host)])
    defer { world.stop() }
    host = try Host(1)
    var settings = host.settings
    settings.dns.mutes = [.init(finding: "c1.zz mx", reason: "moves in spring", until: "2026-12-31")]
    func severity(_ day: String) -> (Int?, String?) {
      let view = DNSView(world.asking, resolvers: [DNSServer(address: "198.51.100.53")])
      let check = DNSCheck(settings, host.facts, view) { _ in .success(host.filled(BrokenZone.soundPolicy)) }
      let found = check.run(domains: [host.zone], withHost: false, today: day).first { $0.name == "c1.zz mx" }
      return (found?.severity, found?.muted ?? found?.text)
    }
    #expect(severity("2026-12-31").0 == 0)
    #expect(severity("2026-12-31").1 == "moves in spring (until 2026-12-31)")
    #expect(severity("2027-01-01").0 == 2)
    #expect(severity("2027-01-01").1?.contains("moves in spring") == true)
  }

  @Test func withoutAnyNameServerNothingIsSaidToBeWrong() throws {
    let host = try Host(1)
    struct Nobody: NameServerAsking {
      func ask(
        _ name: String, _ type: DNSType, of server: DNSServer, recursive: Bool, unchecked: Bool
      ) throws(DNSError) -> DNSAnswer {
        throw DNSError(.unreachable, "\(server.text) cannot be reached: no route")
      }
    }
    let view = DNSView(Nobody(), resolvers: [DNSServer(address: "198.51.100.53")])
    let found = DNSCheck(host.settings, host.facts, view) { _ in .failure(DNSCheck.PolicyFailure("no")) }
      .run(domains: [host.zone], withHost: true, today: "2026-11-30")
    #expect(found.allSatisfy { $0.severity < 2 } && found.count == 1)
    #expect(found.contains { $0.result == .unknown })
  }
}
