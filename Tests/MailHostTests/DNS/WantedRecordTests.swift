import DNS
import Foundation
import JSON
import TestSupport
import Testing

@testable import MailHost

/// What `mailhost dns` prints, looked at by the programs that will read it.
struct WantedRecordTests {
  private static func wanted(_ lines: String = "", _ change: (inout RecordFacts) -> Void = { _ in }) throws
    -> WantedRecords
  {
    let settings = try hostSettings([
      "mailhost.toml": neededSettings + "mail_domains = [\"example.org\", \"club.example\"]\n" + lines
    ])
    var facts = RecordFacts()
    facts.addresses = ["192.0.2.1", "2001:db8::1"].compactMap(IPAddress.init)
    facts.domains = ["club.example", "example.org"]
    facts.keys = ["club.example", "example.org"].map { domain in
      let key = String(repeating: "A", count: 392)
      let record = KeyRecord(domain: domain, selector: "202601", algorithm: .rsa, publicKey: key)
      return .init(record: record, forms: [key], place: record.name, signs: true)
    }
    facts.certificate = .init(whole: [1], publicKey: [2], issuer: "letsencrypt.org", keepsKey: true)
    facts.isHostZoneSigned = true
    change(&facts)
    return WantedRecords(settings, facts)
  }

  private static let head = "@ 60 IN SOA ns1 h 1 60 60 1000 2\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.53\n"

  @Test func aNameServerTakesTheZone() throws {
    var own = try Self.wanted("[web]\nroot = \"/var/www\"\n[dns]\nsilent_names = [\"www.example.org\"]\n")
    own.domains.removeAll { $0.name == "club.example" }
    let text = Self.head + own.zone()
    let directory = try TemporaryDirectory()
    let file = try directory.write("zone", text)
    for (program, arguments) in [
      ("/usr/bin/named-checkzone", ["-i", "local", "example.org", file]),
      ("/usr/bin/kzonecheck", ["-o", "example.org", file]),
    ] {
      let said = try run(program, arguments)
      #expect(said.status == 0, "\(program): \(String(decoding: said.output, as: UTF8.self))\(said.said)")
      #expect(!String(decoding: said.output, as: UTF8.self).contains("ignoring"))
    }
    // Nobody has to scroll to the side, but for values that must be in one piece.
    for line in own.zone().split(separator: "\n") where line.hasPrefix(";") && !line.contains(" IN ") {
      #expect(line.count < 80)
    }
  }

  @Test func everyRecordHasItsReason() throws {
    let wanted = try Self.wanted("[web]\nroot = \"/var/www\"\n")
    #expect(wanted.all.allSatisfy { $0.reason.hasSuffix(".") && $0.reason.count > 20 })
    let types = Set(wanted.all.map(\.record.type))
    #expect(types == [.a, .aaaa, .ptr, .mx, .txt, .cname, .srv, .caa, .tlsa])
    let required = Set(wanted.all.filter { $0.rank == .required }.map { "\($0.record.type.text) \($0.record.name)" })
    #expect(
      required == [
        "A mail.example.org", "AAAA mail.example.org", "PTR 1.2.0.192.in-addr.arpa",
        "PTR 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "MX example.org",
        "MX club.example", "TXT example.org", "TXT club.example", "TXT 202601._domainkey.example.org",
        "TXT 202601._domainkey.club.example",
      ])
  }

  @Test func whatWouldHarmNowIsNotPublished() throws {
    func conditions(_ name: String, _ lines: String = "", _ change: (inout RecordFacts) -> Void) throws -> [String?] {
      try Self.wanted(lines, change).all.filter { $0.record.name == name && ![.a, .aaaa].contains($0.record.type) }.map(
        \.unless)
    }
    let tlsa = "_25._tcp.mail.example.org"
    #expect(try conditions(tlsa) { _ in } == [nil])
    #expect(try conditions(tlsa) { $0.isHostZoneSigned = false }[0]?.contains("not signed") == true)
    #expect(try conditions(tlsa) { $0.certificate?.keepsKey = false }[0]?.contains("reuse-key") == true)
    #expect(try conditions(tlsa) { $0.certificate = nil } == [])
    #expect(try conditions("_mta-sts.example.org") { _ in }[0]?.contains("web server") == true)
    let text = try Self.wanted("") { $0.isHostZoneSigned = false }.zone()
    #expect(text.contains("\n; _25._tcp.mail.example.org. 3600 IN TLSA"))
  }

  @Test func whatIsNotKnownIsSaid() throws {
    let wanted = try Self.wanted("") {
      $0.keys = nil
      $0.addresses = []
    }
    #expect(wanted.notes.contains { $0.contains("vault") })
    #expect(wanted.notes.contains { $0.contains("set addresses in [dns]") })
    #expect(!wanted.all.contains { $0.record.name.contains("_domainkey") })
  }

  @Test func anAliasLeadsToTheKey() throws {
    let wanted = try Self.wanted("") {
      $0.keys?[0].place = "mailhost1.club.example.dkim.mail.example.org"
    }
    let lines = wanted.all.map(\.record.zoneLine)
    #expect(
      lines.contains(
        "202601._domainkey.club.example. 3600 IN CNAME mailhost1.club.example.dkim.mail.example.org."))
    #expect(lines.contains { $0.hasPrefix("mailhost1.club.example.dkim.mail.example.org. 3600 IN TXT \"v=DKIM1") })
  }

  private struct Present: PresentRecords {
    var records: [String: [DNSRecord]] = [:]
    func zone(of name: String) -> String? { nil }
    func present(_ name: String, _ type: DNSType) -> [DNSRecord] { records["\(name) \(type.text)"] ?? [] }
    func lets(_ record: String, of name: String) -> Bool { record.contains("192.0.2.1") }
  }

  @Test func anUpdateTakesNothingOutThatIsSomebodyElses() throws {
    let wanted = try Self.wanted()
    let present = Present(records: [
      "example.org TXT": [
        DNSRecord("example.org", .txt, .text(Array("v=spf1 include:old.example -all".utf8))),
        DNSRecord("example.org", .txt, .text(Array("site-verification=1".utf8))),
      ],
      "example.org MX": [DNSRecord("example.org", .mx, .mx(preference: 5, host: "old.example"))],
    ])
    let text = wanted.update(present)
    let removed = text.split(separator: "\n").filter { $0.hasPrefix("update delete example.org.") }
    #expect(removed == ["update delete example.org. TXT \"v=spf1 include:old.example -all\""])
    #expect(
      text.contains("update add example.org. 3600 TXT \"v=spf1 a:mail.example.org include:old.example -all\"\n"),
      "what else sends goes on to: \(text)")
    #expect(text.contains("; there is also: example.org. 3600 IN MX 5 old.example."))
    #expect(text.contains("update delete _dmarc.example.org. TXT\nupdate add _dmarc.example.org. 3600 TXT"))
    #expect(text.components(separatedBy: "\nsend\n").count == 3, "one message for each zone: \(text)")
    #expect(!text.contains("arpa"))
  }

  @Test func whatIsRightOrStrongerStays() throws {
    var strong = DNSRecord(
      "_dmarc.example.org", .txt, .text(Array("v=DMARC1; p=reject; rua=mailto:reports@club.example".utf8)))
    strong.presentation = "\"v=DMARC1; p=reject; \" \"rua=mailto:reports@club.example\""
    var sender = DNSRecord(
      "example.org", .txt, .text(Array("v=spf1 ip4:192.0.2.1 include:_spf.provider.example -all".utf8)))
    let records = [
      "example.org TXT": [sender], "_dmarc.example.org TXT": [strong],
      "_smtp._tls.example.org TXT": [DNSRecord("x", .txt, .text(Array("v=TLSRPTv1; rua=mailto:x@club.example".utf8)))],
    ]
    let text = try Self.wanted().update(Present(records: records))
    for name in [" example.org. TXT", "_dmarc.example.org.", "_smtp._tls.example.org."] {
      #expect(
        !text.contains("delete \(name)") && !text.contains("add \(name)") && !text.contains("delete\(name)"),
        "\(name): \(text)")
    }
    // One that does not let this host send goes by the strings that the server has.
    sender = DNSRecord("example.org", .txt, .text(Array("v=spf1 -all".utf8)))
    sender.presentation = "\"v=spf1 \" \"-all\""
    let changed = try Self.wanted().update(Present(records: ["example.org TXT": [sender]]))
    #expect(changed.contains("update delete example.org. TXT \"v=spf1 \" \"-all\"\n"))
    #expect(changed.contains("update add example.org. 3600 TXT \"v=spf1 a:mail.example.org -all\"\n"))
  }

  /// Those of one name and type are removed together: the one that is there already must be among what is added.
  @Test func anAddressThatIsThereStaysBesideANewOne() throws {
    let wanted = try Self.wanted("") { $0.addresses = ["192.0.2.1", "192.0.2.2"].compactMap(IPAddress.init) }
    let there = DNSRecord("mail.example.org", .a, .address("192.0.2.1"))
    let lines = wanted.update(Present(records: ["mail.example.org A": [there]])).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.contains(" mail.example.org.") && $0.hasSuffix(" A") || $0.contains(" A 192") } == [
        "update delete mail.example.org. A", "update add mail.example.org. 3600 A 192.0.2.1",
        "update add mail.example.org. 3600 A 192.0.2.2",
      ])
  }

  @Test func aHostThatIsNamedAlreadyIsNotNamedTwice() throws {
    let there = DNSRecord("example.org", .txt, .text(Array("v=spf1 a:mail.example.org ~all".utf8)))
    let text = try Self.wanted().update(Present(records: ["example.org TXT": [there]]))
    #expect(!text.contains(" example.org. TXT") && !text.contains(" example.org. 3600 TXT"), "\(text)")
  }

  @Test func severalSPFRecordsAreAPersonsTurn() throws {
    let two = ["v=spf1 mx -all", "v=spf1 -all"].map { DNSRecord("example.org", .txt, .text(Array($0.utf8))) }
    let text = try Self.wanted().update(Present(records: ["example.org TXT": two]))
    #expect(text.contains("; example.org has several SPF records, so that none counts: make one of them\n"))
    #expect(!text.contains("delete example.org. TXT"))
  }

  @Test func whatIsThereAlreadyIsNotAddedAgain() throws {
    let wanted = try Self.wanted()
    var records: [String: [DNSRecord]] = [:]
    for one in wanted.all { records["\(one.record.name) \(one.record.type.text)", default: []].append(one.record) }
    struct All: PresentRecords {
      var records: [String: [DNSRecord]]
      func zone(of name: String) -> String? { nil }
      func present(_ name: String, _ type: DNSType) -> [DNSRecord] { records["\(name) \(type.text)"] ?? [] }
      func lets(_ record: String, of name: String) -> Bool { true }
    }
    #expect(wanted.update(All(records: records)) == "; there is nothing to change\n")
  }

  /// What is in the zone now goes into commands that somebody gives to a program.
  @Test func whatOthersHaveWrittenEndsNoLine() throws {
    let hostile = DNSRecord("example.org", .txt, .text(Array("v=spf1 \nupdate delete example.org.\n\"\\\u{e9}".utf8)))
    let text = try Self.wanted().update(Present(records: ["example.org TXT": [hostile]]))
    #expect(
      text.contains(#"update delete example.org. TXT "v=spf1 \010update delete example.org.\010\"\\\195\169""#),
      "\(text)")
    #expect(!text.contains("\nupdate delete example.org.\n"))
  }

  /// By the program that reads such commands, on a server that has the zones.
  @Test func aServerTakesTheUpdate() throws {
    func head(_ zone: String) -> [String] {
      ["SOA ns1.example.org. h.example.org. 1 60 60 1000 2", "NS ns1.example.org."].map { "\(zone). 60 IN \($0)" }
    }
    let server = try ZoneWorld([
      [
        "example.org": head("example.org") + [
          "ns1.example.org. 60 IN A 192.0.2.53", "example.org. 60 IN TXT \"site-verification=1\"",
          "_dmarc.example.org. 60 IN TXT \"v=DMARC1; p=none\"",
        ], "club.example": head("club.example"),
      ]
    ])
    defer { server.stop() }
    let text = try Self.wanted().update(Present())
    for _ in 0..<2 {
      let said = try run(
        "/usr/bin/knsupdate", [], input: Data("server 127.0.0.1 \(server.ports[0])\n\(text)".utf8))
      #expect(said.status == 0, "\(said.said)\(String(decoding: said.output, as: UTF8.self))")
    }
    func texts(_ name: String) throws -> Set<String> {
      let answer = try DNSClient().ask(
        name, .txt, of: DNSServer(address: "127.0.0.1", port: server.ports[0]), recursive: false, unchecked: false)
      return Set(answer.records.compactMap(\.text))
    }
    #expect(try texts("example.org") == ["site-verification=1", "v=spf1 a:mail.example.org ~all"])
    #expect(try texts("_dmarc.example.org").count == 1)
    #expect(try texts("202601._domainkey.club.example").first?.hasPrefix("v=DKIM1; k=rsa; p=AAAA") == true)
  }

  @Test func scriptsGetTheSame() throws {
    let wanted = try Self.wanted()
    let json = try #require(JSONText(parsing: Array(wanted.json().rendered().utf8)))
    let records = try #require(json["records"]?.items)
    #expect(records.count == wanted.all.count)
    #expect(records.allSatisfy { ["required", "recommended", "optional"].contains($0["rank"]?.text ?? "") })
  }
}
