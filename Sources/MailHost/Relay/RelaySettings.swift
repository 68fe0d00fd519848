import MailbootCore

/// How a machine without mailboxes sends its mail through a mail host: `/etc/mailboot/relay.toml`. Its keys are those of the Ansible role of
/// old.
public struct RelaySettings: Equatable, Sendable {
  /// `mail_relay_host`: the name in its certificate.
  public var host: String
  /// `mail_relay_port`: 465 or 587.
  public var port = 465
  /// `mail_relay_acct`.
  public var login: String
  /// `admin_email`: who gets the mail to this machine's users.
  public var administrator: String

  /// - Throws: what of it cannot be.
  public init(
    host: String, port: Int?, login: String, administrator: String?
  ) throws(Invalid) {
    guard isHostName(host) else { throw Invalid("\(host) is no full host name such as mail.example.org") }
    guard isAddress(login) else { throw Invalid("\(login) is no login such as relay@example.org") }
    self.host = host.lowercased()
    self.login = login.lowercased()
    self.administrator = administrator ?? "postmaster@\(Self.domain(login.lowercased()))"
    guard isAddress(self.administrator) else { throw Invalid("\(self.administrator) is no address") }
    if let port {
      guard [465, 587].contains(port) else { throw Invalid("port \(port): mail hosts take logins on 465 and 587") }
      self.port = port
    }
  }

  public struct Invalid: Error, Equatable, Sendable {
    public var text: String

    init(_ text: String) { self.text = text }
  }

  /// Decodes the file.
  public init(decoding root: ConfigurationNode) throws(ConfigurationError) {
    var top = TableReader(root, path: "")
    let host = top.string("mail_relay_host", expected: "a host name such as \"mail.example.org\"", where: isHostName)
    let port = top.integer("mail_relay_port", in: 1...65535)
    let portNode = top.node("mail_relay_port")
    let login = top.string("mail_relay_acct", expected: "a login such as \"relay@example.org\"", where: isAddress)
    let administrator = top.string("admin_email", expected: "an address", where: isAddress)
    _ = top.require("mail_relay_host", host, expected: "mail_relay_host = \"mail.example.org\"")
    _ = top.require("mail_relay_acct", login, expected: "mail_relay_acct = \"relay@example.org\"")
    if let port, let portNode, ![465, 587].contains(port) {
      top.note(portNode, "mail_relay_port", "is \(port)", expected: "465 or 587")
    }
    let issues = top.finish()
    guard issues.isEmpty, let host, let login,
      let read = try? RelaySettings(host: host, port: port, login: login, administrator: administrator)
    else { throw ConfigurationError(issues: issues) }
    self = read
  }

  public var domain: String { Self.domain(login) }
  public var user: String { String(login.prefix { $0 != "@" }) }

  private static func domain(_ address: String) -> String { String(address.drop { $0 != "@" }.dropFirst()) }
}
