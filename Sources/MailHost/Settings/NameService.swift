import MailbootCore

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

  /// Numeric addresses, asked beside those of `/etc/resolv.conf`.
  public var resolvers: [String] = []
  public var publishing = Publishing()
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
