import HostChecks
import MailbootCore

/// A mail client, or another mail server, as an SMTP server sees it.
final class SMTPClient {
  private let channel: ProbeChannel
  let greeting: SMTPReply
  /// The last answer to EHLO.
  private(set) var hello = SMTPReply(code: 0, texts: [])

  /// What it calls itself. No such name can exist (RFC 2606).
  static let name = TestDomain.name

  /// Connects, and awaits the greeting.
  /// - Parameter source: the address to come from; nil: as a program of this host.
  init(_ url: ProbeURL, from source: String?, seconds: Double, serverName: String? = nil) throws(Silence) {
    channel = try ProbeChannel(
      to: url, attempt: Attempt(seconds: seconds), serverName: serverName, from: source)
    greeting = try Self.reply(channel, "greeting")
  }

  /// Sends a command line and awaits its answer.
  func say(_ command: String) throws(Silence) -> SMTPReply {
    try channel.send(command + "\r\n")
    return try reply(to: command)
  }

  /// The next answer.
  /// - Parameter command: what it answers, for the message when none comes; only its first word is told.
  func reply(to command: String) throws(Silence) -> SMTPReply {
    try Self.reply(channel, "answer to \(command.split(separator: " ").first ?? "")")
  }

  /// Sends bytes as they are.
  func send(_ text: String) throws(Silence) { try channel.send(text) }

  func sayHello() throws(Silence) {
    hello = try say("EHLO \(Self.name)")
    guard hello.isAccepted else { throw Silence(reason: "refused EHLO: \(hello.line)") }
  }

  /// STARTTLS (RFC 3207), and EHLO anew.
  func startTLS(serverName: String) throws(Silence) {
    let answer = try say("STARTTLS")
    guard answer.code == 220 else { throw Silence(reason: "refused STARTTLS: \(answer.line)") }
    try channel.startTLS(serverName: serverName)
    try sayHello()
  }

  /// AUTH PLAIN (RFC 4616).
  func logIn(_ user: TestUser) throws(Silence) -> SMTPReply {
    try say("AUTH PLAIN \(base64(Array("\0\(user.address)\0\(user.password)".utf8)))")
  }

  /// Sender and recipients, and nothing is sent yet.
  /// - Returns: the first answer that is no acceptance, else the last one.
  func envelope(from sender: String, to recipients: [String]) throws(Silence) -> SMTPReply {
    var answer = try say("MAIL FROM:<\(sender)>")
    for recipient in recipients where answer.isAccepted { answer = try say("RCPT TO:<\(recipient)>") }
    return answer
  }

  /// Sends one mail.
  /// - Parameter message: lines that end with CRLF, none of which begins with a dot.
  /// - Returns: as ``envelope(from:to:)``, else what became of the mail.
  func deliver(_ message: String, from sender: String, to recipients: [String]) throws(Silence) -> SMTPReply {
    let answer = try envelope(from: sender, to: recipients)
    guard answer.isAccepted else { return answer }
    let ready = try say("DATA")
    guard ready.code == 354 else { return ready }
    try channel.send(message + ".\r\n")
    return try Self.reply(channel, "answer to the mail")
  }

  /// The certificate that the server has shown.
  var certificate: CertificateChain? { channel.certificate.map(CertificateChain.init(taking:)) }

  func leave() { channel.leave(saying: "QUIT\r\n") }

  private static func reply(_ channel: ProbeChannel, _ awaited: String) throws(Silence) -> SMTPReply {
    var texts: [String] = []
    while true {
      let line = try channel.expectLine(awaited)
      guard line.utf8.count >= 3, let code = Int(line.prefix(3)), texts.count < 100 else {
        throw Silence(reason: "answered: \(printable(line))")
      }
      texts.append(String(line.dropFirst(4)))
      guard line.dropFirst(3).first == "-" else { return SMTPReply(code: code, texts: texts) }
    }
  }
}
