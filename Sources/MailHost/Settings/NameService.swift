import MailbootCore
import Text

/// `[dns]`: how records come into the zones, and who is asked whether they are there.
public struct NameService: Equatable, Sendable {
  /// How a record of a key is published.
  public enum Way: String, CaseIterable, Sendable {
    /// By a person.
    case paste
    /// Through a name below `cnameBase`, to which the domain's zone leads.
    case cname
    /// By an update that a key signs (RFC 2136, RFC 8945).
    case nsupdate
    /// By a program of the administrator's.
    case program
  }

  /// For one domain, or for all that have no table of their own.
  public struct Publishing: Equatable, Sendable {
    public var way = Way.paste
    /// A numeric address; nil: the primary server that the SOA record names.
    public var server: String?
    /// As `tsig-keygen` writes it; nil: updates are not signed.
    public var keyFile: String?
    public var program: String?
    public var cnameBase: String?

    public init() {}
  }

  /// A finding of `mailhost dns check` that nobody wants to hear of.
  public struct Mute: Equatable, Sendable {
    /// As the check names it: `example.org spf`.
    public var finding: String
    public var reason: String
    /// A day, `2027-06-30`, after which it counts again.
    public var until: String
  }

  /// Numeric addresses, asked beside those of `/etc/resolv.conf`.
  public var resolvers: [String] = []
  public var publishing = Publishing()
  /// `addresses`: under which the world reaches this host; empty: those of its own network interfaces.
  public var addresses: [String] = []
  /// `silent_names`: from which no mail comes.
  public var silentNames: [String] = []
  /// `lists`: of senders of spam, on which this host should not be.
  public var lists = ["zen.spamhaus.org", "bl.spamcop.net"]
  /// `[[dns.mute]]`.
  public var mutes: [Mute] = []
  /// `[dns.domain.NAME]`.
  public var domains: [String: Publishing] = [:]

  public init() {}

  public func publishing(of domain: String) -> Publishing { domains[domain] ?? publishing }
}

extension NameService {
  mutating func read(_ top: inout TableReader) {
    top.table("dns") { table in
      resolvers = table.strings(
        "resolvers", expected: "addresses such as [\"9.9.9.9\"]", each: "an address such as \"9.9.9.9\"",
        where: isAddressNumber)
      addresses = table.strings(
        "addresses", expected: "addresses such as [\"192.0.2.1\"]", each: "an address such as \"192.0.2.1\"",
        where: isAddressNumber)
      silentNames = table.strings(
        "silent_names", expected: "names such as [\"www.example.org\"]", each: "a name such as \"www.example.org\"",
        where: isHostName
      ).map { $0.lowercased() }
      if table.node("lists") != nil {
        lists = table.strings(
          "lists", expected: "names such as [\"zen.spamhaus.org\"]", each: "a name such as \"zen.spamhaus.org\"",
          where: isHostName)
      }
      mutes = table.tables("mute") { Mute(reading: &$0) } ?? []
      let base = publishing
      publishing = Publishing(reading: &table, otherwise: base, isForAll: true)
      let general = publishing
      table.table("domain") { rows in
        for name in rows.keys {
          if !isHostName(name), let node = rows.node(name) {
            rows.note(node, name, "is no domain", expected: "a domain such as \"example.org\"")
          }
          rows.table(name) { domains[name] = Publishing(reading: &$0, otherwise: general, isForAll: false) }
        }
      }
    }
  }
}

extension NameService.Mute {
  fileprivate init?(reading row: inout TableReader) {
    let finding = row.string("finding", expected: "what `mailhost dns check` calls it, such as \"example.org spf\"") {
      $0.split(separator: " ").count == 2
    }
    let reason = row.string("reason", expected: "a sentence that tells you later why")
    let until = row.string("until", expected: "a day such as \"2027-06-30\"") {
      secondsSince1970(timestamp: $0 + "T00:00:00Z") != nil
    }
    _ = row.require("finding", finding, expected: "finding = \"example.org spf\"")
    _ = row.require("reason", reason, expected: "reason = \"…\"")
    _ = row.require("until", until, expected: "until = \"2027-06-30\": nothing is forgotten for ever")
    guard let finding, let reason, let until else { return nil }
    self.init(finding: finding.lowercased(), reason: reason, until: until)
  }
}

extension NameService.Publishing {
  fileprivate init(reading table: inout TableReader, otherwise: Self, isForAll: Bool) {
    self = otherwise
    let node = table.node("publish")
    let ways = NameService.Way.allCases.filter { $0 != .cname || !isForAll }
    let expected = ways.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    if let text = table.string(
      "publish", expected: "one of " + expected, where: { NameService.Way(rawValue: $0) != nil })
    {
      way = NameService.Way(rawValue: text) ?? way
    }
    server = table.string("server", expected: "an address such as \"192.0.2.53\"", where: isAddressNumber) ?? server
    keyFile = table.plainPath("key_file", example: "/etc/mailboot/tsig.key") ?? keyFile
    program = table.plainPath("program", example: "/usr/local/sbin/publish-record") ?? program
    cnameBase =
      table.string("cname_base", expected: "a name such as \"dkim.mail.example.org\"", where: isHostName) ?? cnameBase
    guard let node else { return }
    if way == .program, program == nil {
      table.note(
        node, "publish", "is \"program\", and none is named", expected: "program = \"/usr/local/sbin/publish-record\"")
    }
    if way == .cname, isForAll {
      table.note(
        node, "publish", "is \"cname\" for all domains",
        expected: "it in [dns.domain.NAME]: the names that it leads to need another way")
    } else if way == .cname, cnameBase == nil {
      table.note(
        node, "publish", "is \"cname\", and there is no cname_base", expected: "cname_base = \"dkim.mail.example.org\"")
    }
  }
}
