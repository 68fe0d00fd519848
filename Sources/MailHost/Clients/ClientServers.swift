/// Where a mail program of a user of this host connects to, in every form in which it can be told.
///
/// One host name serves all domains, so that one certificate does. The user name is the whole address.
public struct ClientServers: Equatable, Sendable {
  /// How a connection is encrypted (RFC 8314).
  public enum Encryption: String, Sendable {
    /// From its first byte on.
    case tls = "TLS"
    /// By a command, before the login.
    case startTLS = "STARTTLS"
  }

  public struct Server: Equatable, Sendable {
    /// `imap`, `smtp`, `managesieve`.
    public var type: String
    public var port: Int
    public var encryption: Encryption

    public init(type: String, port: Int, encryption: Encryption) {
      self.type = type
      self.port = port
      self.encryption = encryption
    }
  }

  public var hostName: String
  public var incoming: [Server]
  /// The preferred one first: RFC 8314 (3.3) has it in this order, as an attacker can strip STARTTLS from a careless client.
  public var outgoing: [Server]
  /// nil: users cannot upload filters.
  public var filters: Server?

  public init(_ settings: HostSettings) {
    hostName = settings.hostName
    incoming = [Server(type: "imap", port: 993, encryption: .tls)]
    outgoing = [
      Server(type: "smtp", port: 465, encryption: .tls), Server(type: "smtp", port: 587, encryption: .startTLS),
    ]
    filters = settings.managesieve ? Server(type: "managesieve", port: 4190, encryption: .startTLS) : nil
  }
}
