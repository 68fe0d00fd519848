import HostChecks
import MailbootCore

/// A mail program, as an IMAP server sees it (RFC 3501, MOVE: RFC 6851).
final class IMAPClient {
  private let channel: ProbeChannel
  private var tag = 0

  /// One response of the server: its line, with what stood for literals in their places.
  private struct Response {
    var line: String
    var literals: [[UInt8]] = []
  }

  /// Connects, and logs in.
  init(_ url: ProbeURL, _ user: TestUser, seconds: Double, serverName: String? = nil) throws(Silence) {
    channel = try ProbeChannel(to: url, attempt: Attempt(seconds: seconds), serverName: serverName)
    let greeting = try channel.expectLine("greeting")
    guard greeting.hasPrefix("* OK") else { throw Silence(reason: "answered: \(printable(greeting))") }
    _ = try succeed("LOGIN \"\(user.address)\" \"\(user.password)\"")
  }

  /// The certificate that the server has shown.
  var certificate: CertificateChain? { channel.certificate.map(CertificateChain.init(taking:)) }

  /// Looks at a mailbox.
  /// - Returns: false when it is not there.
  func select(_ mailbox: String) throws(Silence) -> Bool {
    let (status, _) = try command("SELECT \"\(mailbox)\"")
    return status.hasPrefix("OK")
  }

  /// Numbers of the mails whose subject has this text, in the selected mailbox.
  func search(subject: String) throws(Silence) -> [Int] {
    // Mail that has come since SELECT is shown after this.
    _ = try succeed("NOOP")
    let responses = try succeed("SEARCH SUBJECT \"\(subject)\"")
    let found = responses.first { $0.line.hasPrefix("* SEARCH") }
    return found?.line.split(separator: " ").compactMap { Int($0) } ?? []
  }

  /// A whole mail, unread afterwards as before.
  func message(_ number: Int) throws(Silence) -> [UInt8] {
    let responses = try succeed("FETCH \(number) BODY.PEEK[]")
    guard let text = responses.first(where: { !$0.literals.isEmpty })?.literals.first else {
      throw Silence(reason: "the mail could not be fetched")
    }
    return text
  }

  func move(_ number: Int, to mailbox: String) throws(Silence) { _ = try succeed("MOVE \(number) \"\(mailbox)\"") }

  /// Puts a mail into a mailbox.
  func append(_ message: String, to mailbox: String) throws(Silence) {
    let bytes = Array(message.utf8)
    tag += 1
    try channel.send("a\(tag) APPEND \"\(mailbox)\" {\(bytes.count)}\r\n")
    let ready = try channel.expectLine("answer to APPEND")
    guard ready.hasPrefix("+") else { throw Silence(reason: "APPEND: \(printable(ready))") }
    try channel.send(bytes: bytes + Array("\r\n".utf8))
    let (status, _) = try completion(of: "APPEND")
    guard status.hasPrefix("OK") else { throw Silence(reason: "APPEND: \(printable(status))") }
  }

  func leave() { channel.leave(saying: "z LOGOUT\r\n") }

  private func succeed(_ text: String) throws(Silence) -> [Response] {
    let (status, responses) = try command(text)
    guard status.hasPrefix("OK") else {
      throw Silence(reason: "\(text.split(separator: " ").first ?? ""): \(printable(status))")
    }
    return responses
  }

  private func command(_ text: String) throws(Silence) -> (status: String, responses: [Response]) {
    tag += 1
    try channel.send("a\(tag) \(text)\r\n")
    return try completion(of: String(text.split(separator: " ").first ?? ""))
  }

  /// - Returns: the status with its text, without the tag.
  private func completion(of command: String) throws(Silence) -> (status: String, responses: [Response]) {
    var responses: [Response] = []
    while true {
      let response = try response(to: command)
      if response.line.hasPrefix("a\(tag) ") {
        return (String(response.line.dropFirst("a\(tag) ".count)), responses)
      }
      responses.append(response)
    }
  }

  private func response(to command: String) throws(Silence) -> Response {
    var response = Response(line: try channel.expectLine("answer to \(command)"))
    while let count = Self.literal(response.line) {
      response.literals.append(try channel.bytes(count, awaited: "mail"))
      response.line += try channel.expectLine("answer to \(command)")
    }
    return response
  }

  /// How many bytes follow a line that ends with `{COUNT}`.
  static func literal(_ line: String) -> Int? {
    guard line.last == "}", let open = line.lastIndex(of: "{") else { return nil }
    guard let count = Int(line[line.index(after: open)...].dropLast()), (0...(16 << 20)).contains(count) else {
      return nil
    }
    return count
  }
}
