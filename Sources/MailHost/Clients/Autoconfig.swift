/// `config-v1.1.xml`: by it Thunderbird, K-9, Evolution, KMail, FairEmail and others find out by themselves where to connect to
/// (draft-ietf-mailmaint-autoconfig).
///
/// They look for it at `https://autoconfig.DOMAIN/mail/…`, at `https://DOMAIN/.well-known/autoconfig/mail/…`, and then below the name in the
/// domain's MX record: `https://autoconfig.MXHOST/mail/…`. So the same file at one place serves all domains.
public struct Autoconfig: Equatable, Sendable {
  /// Where web servers have it, below their root.
  public static let paths = ["/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"]

  public let servers: ClientServers
  /// Every domain of this host. A client takes the file only for a domain that is named in it, so none may be missing.
  public let domains: [String]

  public init(_ servers: ClientServers, domains: [String]) {
    self.servers = servers
    self.domains = domains
  }

  public var text: String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    \(Self.mark)
    <clientConfig version="1.1">
      <emailProvider id="\(host)">
    \(domains.map { "    <domain>\(markup($0))</domain>\n" }.joined())    <displayName>\(displayName)</displayName>
    \(servers.incoming.map { section("incomingServer", $0) }.joined())\
    \(servers.outgoing.map { section("outgoingServer", $0) }.joined())  </emailProvider>
    </clientConfig>

    """
  }

  /// Whose file it is: what has no such line we do not replace unasked.
  private static let mark = "<!-- Written by `mailhost web`. -->"

  /// Whether a text is one of these.
  public static func isOurs(_ text: String) -> Bool { text.split(separator: "\n").dropFirst().first == mark[...] }

  /// The domains that one of these names, as they are written in it.
  static func domains(in text: String) -> [Substring] {
    let (start, end) = ("    <domain>", "</domain>")
    return text.split(separator: "\n").filter { $0.hasPrefix(start) && $0.hasSuffix(end) }
      .map { $0.dropFirst(start.count).dropLast(end.count) }
  }

  /// Whether a text that is there names a domain that this one does not.
  public func lacksDomains(of text: String) -> Bool {
    !Set(Self.domains(in: text)).isSubset(of: domains.map { markup($0)[...] })
  }

  private var host: String { markup(servers.hostName) }

  /// At most 60 characters, as the draft has it.
  private var displayName: String { markup(String(servers.hostName.prefix(60))) }

  private func section(_ name: String, _ server: ClientServers.Server) -> String {
    """
        <\(name) type="\(server.type)">
          <hostname>\(host)</hostname>
          <port>\(server.port)</port>
          <socketType>\(server.encryption == .tls ? "SSL" : "STARTTLS")</socketType>
          <authentication>password-cleartext</authentication>
          <username>%EMAILADDRESS%</username>
        </\(name)>

    """
  }
}
