import JSON

/// What a user has to know to set up a mail program: a page that can be sent. There is no password in it.
public struct AccountPage: Equatable, Sendable {
  public let servers: ClientServers
  /// The whole address, which is the user name, too.
  public let address: String
  /// Where the profile for Apple's programs can be loaded from; nil: nowhere.
  public let profile: String?

  public init(_ servers: ClientServers, address: String, profile: String? = nil) {
    self.servers = servers
    self.address = address
    self.profile = profile
  }

  /// One server as it is told.
  struct Section {
    var title: String
    var rows: [(name: String, value: String)]
  }

  static let passwordNote = "the one of this account; it is not in this page"

  var sections: [Section] {
    var sections = servers.incoming.map { section("Incoming mail (IMAP)", $0) }
    for (index, server) in servers.outgoing.enumerated() {
      sections.append(section(index == 0 ? "Outgoing mail (SMTP)" : "Or, where that is not possible", server))
    }
    if let filters = servers.filters {
      sections.append(section("Filters (ManageSieve), if your program has them", filters))
    }
    return sections
  }

  private func section(_ title: String, _ server: ClientServers.Server) -> Section {
    Section(
      title: title,
      rows: [
        ("server", servers.hostName), ("port", String(server.port)),
        ("encryption", server.encryption == .tls ? "SSL/TLS, from the start" : "STARTTLS"),
        ("login", "password (\"normal password\")"),
      ])
  }

  public var json: JSONText {
    func json(_ server: ClientServers.Server) -> JSONText {
      .object([
        ("type", .string(server.type)), ("host", .string(servers.hostName)), ("port", .integer(Int64(server.port))),
        ("encryption", .string(server.encryption.rawValue)),
      ])
    }
    return .object([
      ("schema", .integer(1)), ("address", .string(address)), ("user_name", .string(address)),
      ("incoming", .array(servers.incoming.map(json))), ("outgoing", .array(servers.outgoing.map(json))),
      ("filters", servers.filters.map(json) ?? .null), ("profile", .optional(profile)),
    ])
  }
}
