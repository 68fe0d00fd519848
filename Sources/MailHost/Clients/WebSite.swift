/// What a web server has to serve for a mail host, and what it and the DNS have to be told. We run no web server.
public struct WebSite: Equatable, Sendable {
  public let servers: ClientServers
  public let policy: MTASTSPolicy
  /// The directory that is served.
  public let root: String
  /// Those that can stand in the configuration of a web server and in a zone.
  public let domains: [String]
  /// Names in the account database that no web server and no zone can have. They are in no line here: one with a line end or a brace
  /// in it would be a directive.
  public let unusable: [String]
  /// What stands before the port: nothing, `[::]:`.
  let listensOn: [String]

  public init(_ settings: HostSettings, root: String, domains: [String]) {
    servers = ClientServers(settings)
    policy = MTASTSPolicy(mode: settings.web.mtaSTS, hostName: settings.hostName)
    self.root = root
    self.domains = domains.filter(isHostName)
    unusable = domains.filter { !isHostName($0) }
    listensOn = [settings.ipv4 ? "" : nil, settings.ipv6 ? "[::]:" : nil].compactMap { $0 }
  }

  /// The name that mail programs find the settings under.
  public static func name(_ hostName: String) -> String { "autoconfig." + hostName }

  var name: String { Self.name(servers.hostName) }

  /// The names under which mail programs look that do not follow the MX record, one for each domain.
  var clientNames: [String] { domains.map(Self.name).filter { $0 != name } }

  /// The names that senders find the policy under, one for each domain.
  var policyNames: [String] { domains.map { "mta-sts." + $0 } }

  /// Virtual hosts with all their names. The first name of each is that of its certificate. What every domain needs has its own: where the
  /// zone of one domain is not done yet no certificate comes for it.
  var hosts: [(names: [String], isPolicy: Bool)] {
    [([name], false), (clientNames, false), (policyNames, true)].filter { !$0.0.isEmpty }
  }

  /// By which certbot gets the certificates.
  func certbot(_ names: [String]) -> String {
    "certbot certonly " + names.map { "-d \($0)" }.joined(separator: " ")
  }

  /// Lines of a zone file. The TXT records come last: a sender that finds one, and no policy, has found a mistake.
  public var records: [String] {
    ([name] + clientNames + policyNames).map { "\($0). IN CNAME \(servers.hostName)." }
      + domains.map { "_mta-sts.\($0). IN TXT \"\(policy.record)\"" }
  }
}
