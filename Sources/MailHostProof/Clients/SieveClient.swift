import HostChecks
import MailbootCore

/// A program that uploads filters, as a ManageSieve server sees it (RFC 5804).
final class SieveClient {
  private let channel: ProbeChannel
  /// Ways to log in that are offered before TLS: `"SASL" "PLAIN"`.
  private(set) var clearLogins = ""

  /// Connects, and begins TLS.
  /// - Parameter source: the address to come from; nil: as a program of this host, which dovecot takes for safe without TLS.
  init(_ url: ProbeURL, from source: String?, seconds: Double, serverName: String) throws(Silence) {
    channel = try ProbeChannel(to: url, attempt: Attempt(seconds: seconds), from: source)
    _ = try completion(of: "greeting") { (line) in
      if line.hasPrefix("\"SASL\"") { clearLogins = line.dropFirst(6).filter { $0 != "\"" && $0 != " " } }
    }
    try succeed("STARTTLS")
    try channel.startTLS(serverName: serverName)
    // The server tells its capabilities anew.
    _ = try completion(of: "greeting")
  }

  /// The certificate that the server has shown.
  var certificate: CertificateChain? { channel.certificate.map(CertificateChain.init(taking:)) }

  func logIn(_ user: TestUser) throws(Silence) {
    let secret = base64(Array("\0\(user.address)\0\(user.password)".utf8))
    try succeed("AUTHENTICATE \"PLAIN\" \"\(secret)\"", named: "AUTHENTICATE")
  }

  /// Uploads a script and makes it the active one.
  func activate(_ script: String, name: String) throws(Silence) {
    try succeed("PUTSCRIPT \"\(name)\" {\(script.utf8.count)+}\r\n\(script)", named: "PUTSCRIPT")
    try succeed("SETACTIVE \"\(name)\"", named: "SETACTIVE")
  }

  func leave() { channel.leave(saying: "LOGOUT\r\n") }

  private func succeed(_ command: String, named name: String? = nil) throws(Silence) {
    try channel.send(command + "\r\n")
    let status = try completion(of: name ?? command)
    guard status.hasPrefix("OK") else { throw Silence(reason: "\(name ?? command): \(printable(status))") }
  }

  /// The line that ends an answer: `OK`, `NO` or `BYE`, with its text.
  private func completion(of command: String, _ look: (String) -> Void = { _ in }) throws(Silence) -> String {
    for _ in 0..<100 {
      let line = try channel.expectLine("answer to \(command)")
      look(line)
      guard let word = line.split(separator: " ").first?.split(separator: "(").first else { continue }
      if ["OK", "NO", "BYE"].contains(word) { return line }
    }
    throw Silence(reason: "\(command): no end of the answer")
  }
}
