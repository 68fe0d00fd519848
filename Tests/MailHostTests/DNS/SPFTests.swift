import DNS
import Foundation
import TestSupport
import Testing

@testable import MailHost

/// SPF as receivers evaluate it. The second opinion is that of pyspf, on the same records.
struct SPFTests {
  /// One zone of records, and who sends.
  struct Case: Codable, Sendable, CustomTestStringConvertible {
    var name: String
    /// The SPF record of the sender's domain, or more than one.
    var spf: [String]
    var address = "192.0.2.1"
    var expected: String
    var testDescription: String { name }
  }

  /// Names that the records lead to; `NAME TYPE`.
  private static let names: [String: [String]] = [
    "example.org MX": ["10 mail.example.org", "20 spare.example.org"],
    "mail.example.org A": ["192.0.2.1"], "mail.example.org AAAA": ["2001:db8::1"],
    "spare.example.org A": ["198.51.100.1"],
    "example.org A": ["203.0.113.5"],
    "ok.example A": ["192.0.2.1"],
    "_spf.provider.example TXT": ["v=spf1 ip4:192.0.2.0/28 ~all"],
    "_other.provider.example TXT": ["v=spf1 ip4:198.51.100.0/24 -all"],
    "_loop.example TXT": ["v=spf1 include:_loop.example -all"],
    "plain.example TXT": ["no record of SPF"],
    "1.2.0.192.in-addr.arpa PTR": ["mail.example.org"],
    "1.2.0.192.list.example A": ["127.0.0.2"],
    "192.0.2.1.example.org._u.example A": ["127.0.0.2"],
    "a.example TXT": ["v=spf1 a:mail.example.org a:mail.example.org a:mail.example.org -all"],
    "b.example TXT": ["v=spf1 a:spare.example.org a:spare.example.org a:spare.example.org -all"],
  ]

  static let cases: [Case] = [
    Case(name: "none", spf: [], expected: "none"),
    Case(name: "other text", spf: ["v=spf10 +all"], expected: "none"),
    Case(name: "all", spf: ["v=spf1 -all"], expected: "fail"),
    Case(name: "upper case", spf: ["V=SPF1 IP4:192.0.2.1 -ALL"], expected: "pass"),
    Case(name: "two records", spf: ["v=spf1 mx -all", "v=spf1 -all"], expected: "permerror"),
    Case(name: "ip4", spf: ["v=spf1 ip4:192.0.2.1 -all"], expected: "pass"),
    Case(name: "ip4 network", spf: ["v=spf1 ip4:192.0.2.0/24 -all"], expected: "pass"),
    Case(name: "ip4 beside it", spf: ["v=spf1 ip4:192.0.2.2/31 -all"], expected: "fail"),
    Case(name: "ip4 of all", spf: ["v=spf1 ip4:0.0.0.0/0 -all"], expected: "pass"),
    Case(name: "ip4 that is none", spf: ["v=spf1 ip4:192.0.2 -all"], expected: "permerror"),
    Case(name: "ip4 prefix too long", spf: ["v=spf1 ip4:192.0.2.1/33 -all"], expected: "permerror"),
    Case(name: "ip6", spf: ["v=spf1 ip6:2001:db8::/32 -all"], address: "2001:db8::1", expected: "pass"),
    Case(name: "ip6 of another", spf: ["v=spf1 ip6:2001:db9::/32 ~all"], address: "2001:db8::1", expected: "softfail"),
    Case(name: "ip4 for six", spf: ["v=spf1 ip4:192.0.2.0/24 -all"], address: "2001:db8::1", expected: "fail"),
    Case(name: "mx", spf: ["v=spf1 mx -all"], expected: "pass"),
    Case(name: "mx of six", spf: ["v=spf1 mx -all"], address: "2001:db8::1", expected: "pass"),
    Case(name: "mx second", spf: ["v=spf1 mx -all"], address: "198.51.100.1", expected: "pass"),
    Case(name: "mx network", spf: ["v=spf1 mx/24 -all"], address: "192.0.2.77", expected: "pass"),
    Case(name: "mx networks", spf: ["v=spf1 mx/24//64 -all"], address: "2001:db8::77", expected: "pass"),
    Case(name: "a", spf: ["v=spf1 a -all"], address: "203.0.113.5", expected: "pass"),
    Case(name: "a of a name", spf: ["v=spf1 a:ok.example -all"], expected: "pass"),
    Case(name: "a in its network", spf: ["v=spf1 a:ok.example/29 -all"], address: "192.0.2.6", expected: "pass"),
    Case(name: "a without a name", spf: ["v=spf1 a: -all"], expected: "permerror"),
    Case(name: "neutral", spf: ["v=spf1 ?all"], expected: "neutral"),
    Case(name: "at its end", spf: ["v=spf1 ip4:198.51.100.1"], expected: "neutral"),
    Case(name: "include", spf: ["v=spf1 include:_spf.provider.example -all"], expected: "pass"),
    Case(name: "include that does not", spf: ["v=spf1 include:_other.provider.example ~all"], expected: "softfail"),
    Case(name: "include of nothing", spf: ["v=spf1 include:nobody.example -all"], expected: "permerror"),
    Case(name: "include of other text", spf: ["v=spf1 include:plain.example -all"], expected: "permerror"),
    Case(name: "include of itself", spf: ["v=spf1 include:_loop.example -all"], expected: "permerror"),
    Case(name: "redirect", spf: ["v=spf1 redirect=_spf.provider.example"], expected: "pass"),
    Case(name: "redirect behind all", spf: ["v=spf1 -all redirect=_spf.provider.example"], expected: "fail"),
    Case(name: "redirect to nothing", spf: ["v=spf1 redirect=nobody.example"], expected: "permerror"),
    Case(name: "redirect twice", spf: ["v=spf1 redirect=a.example redirect=b.example"], expected: "permerror"),
    Case(name: "unknown mechanism", spf: ["v=spf1 mx ipv4:192.0.2.1 -all"], expected: "permerror"),
    Case(name: "unknown modifier", spf: ["v=spf1 mx future=1 -all"], expected: "pass"),
    Case(name: "exists", spf: ["v=spf1 exists:%{ir}.list.example -all"], expected: "pass"),
    Case(name: "macros", spf: ["v=spf1 exists:%{i}.%{d}._u.example -all"], expected: "pass"),
    Case(name: "macro of the greeting", spf: ["v=spf1 a:%{h} -all"], expected: "pass"),
    Case(name: "macro that is none", spf: ["v=spf1 exists:%{z}.example -all"], expected: "permerror"),
    Case(name: "ptr", spf: ["v=spf1 ptr -all"], expected: "pass"),
    Case(
      name: "ten lookups",
      spf: [
        "v=spf1 include:b.example a:spare.example.org a:spare.example.org a:spare.example.org a:spare.example.org "
          + "a:spare.example.org mx -all"
      ], expected: "pass"),
    Case(
      name: "eleven lookups",
      spf: [
        "v=spf1 include:b.example a:spare.example.org a:spare.example.org a:spare.example.org a:spare.example.org "
          + "a:spare.example.org a:spare.example.org mx -all"
      ], expected: "permerror"),
    Case(name: "three voids", spf: ["v=spf1 a:x.example a:y.example a:z.example mx -all"], expected: "permerror"),
    Case(name: "two voids", spf: ["v=spf1 a:x.example a:y.example mx -all"], expected: "pass"),
  ]

  private static func records(_ test: Case) -> [String: [String]] {
    names.merging(["example.org TXT": test.spf + ["a site's verification"]]) { $1 }
  }

  static func record(_ name: String, _ type: DNSType, _ value: String) -> DNSRecord {
    let words = value.split(separator: " ").map(String.init)
    let data: DNSRecord.Data =
      switch type {
      case .a, .aaaa: .address(value)
      case .mx: .mx(preference: UInt16(words[0]) ?? 0, host: words.count > 1 ? words[1].lowercased() : "")
      case .txt: .text(Array(value.utf8))
      default: .name(value.lowercased())
      }
    return DNSRecord(name, type, data)
  }

  static func word(_ result: SPFResult) -> String {
    switch result {
    case .pass: "pass"
    case .fail: "fail"
    case .softFail: "softfail"
    case .neutral: "neutral"
    case .none: "none"
    case .permanentError: "permerror"
    case .temporaryError: "temperror"
    }
  }

  static func evaluate(_ records: [String: [String]], _ address: String, _ sender: String, domain: String) -> String {
    guard let address = IPAddress(address) else { return "?" }
    var evaluation = SPFEvaluation(address: address, sender: sender, greeting: "mail.example.org") {
      name, type throws(DNSError) in
      let found = records["\(canonicalName(name)) \(type.text)"] ?? []
      if found == ["TIMEOUT"] { throw DNSError(.noAnswer, "time is over") }
      return found.map { record(name, type, $0) }
    }
    return word(evaluation.result(of: domain))
  }

  @Test(arguments: cases)
  func recordsAreEvaluatedAsReceiversDo(_ test: Case) {
    #expect(
      Self.evaluate(Self.records(test), test.address, "alice@example.org", domain: "example.org") == test.expected)
  }

  /// All of them in one call: python takes its time to begin.
  @Test func anotherImplementationSaysTheSame() throws {
    struct Question: Encodable {
      var records: [String: [String]]
      var address: String
    }
    let questions = Self.cases.map { Question(records: Self.records($0), address: $0.address) }
    let script = """
      import json, sys, spf
      for question in json.load(sys.stdin):
          records = question["records"]
          def lookup(name, kind, strict=True, timeout=20):
              name = name.rstrip(".").lower()
              for value in records.get(name + " " + kind, []):
                  if kind == "TXT": yield ((name, kind), (value.encode(),))
                  elif kind == "MX": yield ((name, kind), (int(value.split()[0]), value.split()[1]))
                  elif kind == "AAAA":
                      yield ((name, kind), value if spf.ipaddress is None else spf.ipaddress.ip_address(value).packed)
                  else: yield ((name, kind), value)
          spf.DNSLookup = lookup
          print(spf.check2(question["address"], "alice@example.org", "mail.example.org", verbose=False)[0])
      """
    let said = try run("/usr/bin/python3", ["-c", script], input: JSONEncoder().encode(questions))
    #expect(said.status == 0, "\(said.said)")
    let words = String(decoding: said.output, as: UTF8.self).split(separator: "\n").map(String.init)
    let differ = zip(Self.cases, words).filter { $0.expected != $1 }.map { "\($0.name): \($1)" }
    #expect(words.count == Self.cases.count)
    #expect(differ.isEmpty, "\(differ)")
  }
}
