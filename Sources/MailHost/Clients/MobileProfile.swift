/// `.mobileconfig`: a profile that sets up one account in the mail programs of Apple's devices (Device Management, `com.apple.mail.managed`).
///
/// They look for nothing by themselves, so each account has its own. There is no password in it: the device asks.
public struct MobileProfile: Equatable, Sendable {
  public let servers: ClientServers
  public let address: String

  public init(_ servers: ClientServers, address: String) {
    self.servers = servers
    self.address = address
  }

  /// The same each time, as its UUIDs follow from the address: a device that has it already replaces it.
  public var text: String {
    PropertyList.dictionary([
      ("PayloadType", .string("Configuration")), ("PayloadVersion", .integer(1)),
      ("PayloadIdentifier", .string(identifier)), ("PayloadUUID", .string(uuid("profile"))),
      ("PayloadDisplayName", .string(address)),
      ("PayloadDescription", .string("Sets up the mail account \(address) of \(servers.hostName).")),
      ("PayloadOrganization", .string(servers.hostName)), ("PayloadContent", .array([account])),
    ]).document
  }

  /// Its path below a web server's root.
  public var path: String { "/profiles/\(uuid("profile")).mobileconfig" }

  private var account: PropertyList {
    var members: [(String, PropertyList)] = [
      ("PayloadType", .string("com.apple.mail.managed")), ("PayloadVersion", .integer(1)),
      ("PayloadIdentifier", .string(identifier + ".mail")), ("PayloadUUID", .string(uuid("account"))),
      ("PayloadDisplayName", .string(address)), ("EmailAccountDescription", .string(address)),
      ("EmailAccountType", .string("EmailTypeIMAP")), ("EmailAddress", .string(address)),
    ]
    if let server = servers.incoming.first { members += keys("IncomingMailServer", server) }
    if let server = servers.outgoing.first { members += keys("OutgoingMailServer", server) }
    members.append(("OutgoingPasswordSameAsIncomingPassword", .boolean(true)))
    return .dictionary(members)
  }

  private func keys(_ prefix: String, _ server: ClientServers.Server) -> [(String, PropertyList)] {
    [
      (prefix + "Authentication", .string("EmailAuthPassword")), (prefix + "HostName", .string(servers.hostName)),
      (prefix + "PortNumber", .integer(server.port)), (prefix + "UseSSL", .boolean(true)),
      (prefix + "Username", .string(address)),
    ]
  }

  /// The host's name from the right, as such identifiers are written, and what belongs to the address alone.
  private var identifier: String {
    servers.hostName.split(separator: ".").reversed().joined(separator: ".") + ".mailhost."
      + uuid("profile").lowercased()
  }

  private func uuid(_ part: String) -> String { stableUUID("mailhost \(part)\n\(servers.hostName)\n\(address)") }
}
