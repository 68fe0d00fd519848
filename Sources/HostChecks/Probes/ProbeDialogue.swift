import MailbootCore

/// Asks the service behind `url` once. Returns its greeting or answer in one line; throws why there is none.
func askOnce(_ url: ProbeURL, attempt: Attempt) throws(Silence) -> String {
  let channel = try ProbeChannel(to: url, attempt: attempt)
  switch url.scheme {
  case .smtp, .smtps, .lmtp: return try channel.greetingOfSMTP()
  case .imap, .imaps: return try channel.greeting(["* OK", "* PREAUTH"], farewell: "a LOGOUT\r\n")
  case .pop3, .pop3s: return try channel.greeting(["+OK"], farewell: "QUIT\r\n")
  case .sieve: return try channel.greetingOfManageSieve()
  case .http, .https: return try channel.answerOfHTTP(url)
  case .redis: return try channel.answerOfRedis()
  case .milter: return try channel.answerOfMilter()
  case .tcp, .unix: return "accepts connections"
  }
}

extension ProbeChannel {
  /// A greeting of one line that starts with one of `good`.
  fileprivate func greeting(_ good: [String], farewell: String) throws(Silence) -> String {
    let line = try expectLine("greeting")
    guard good.contains(where: { line.startsWithWord($0) }) else { throw unexpected(line) }
    leave(saying: farewell)
    return line
  }

  /// `220 TEXT`, or `220-TEXT` lines before it (RFC 5321, section 4.2.1). All of them: postscreen sends the last one
  /// late, and whoever speaks before it is noted as a spammer.
  fileprivate func greetingOfSMTP() throws(Silence) -> String {
    let first = try expectLine("greeting")
    var line = first
    while line.hasPrefix("220-") {
      line = try expectLine("end of the greeting")
    }
    guard line.startsWithWord("220") else { throw unexpected(line) }
    leave(saying: "QUIT\r\n")
    return first
  }

  /// Capability lines up to `OK` (RFC 5804, section 1.7).
  fileprivate func greetingOfManageSieve() throws(Silence) -> String {
    var first: String?
    for _ in 0..<100 {
      let line = try expectLine("greeting")
      first = first ?? line
      if line.startsWithWord("OK") {
        leave(saying: "LOGOUT\r\n")
        return first == line ? line : "\(first ?? "") … \(line)"
      }
      guard line.hasPrefix("\"") else { break }
    }
    throw unexpected(first ?? "")
  }

  /// Inline `PING` (https://redis.io/docs/latest/develop/reference/protocol-spec/). A server that asks for a password
  /// has answered: it serves those who know it.
  fileprivate func answerOfRedis() throws(Silence) -> String {
    try send("PING\r\n")
    let line = try expectLine("answer to PING")
    guard line.startsWithWord("+PONG") || line.startsWithWord("-NOAUTH") else { throw unexpected(line) }
    leave(saying: "QUIT\r\n")
    return line
  }

  /// Negotiates as a mail server does, asking for nothing: four bytes of length, `O`, version 6, no actions, no steps left out.
  /// - SeeAlso: https://github.com/emersion/go-milter/blob/master/milter-protocol.txt
  fileprivate func answerOfMilter() throws(Silence) -> String {
    try send(bytes: [0, 0, 0, 13, UInt8(ascii: "O"), 0, 0, 0, 6] + [UInt8](repeating: 0, count: 8))
    let answer = try bytes(9, awaited: "milter's answer")
    guard answer[4] == UInt8(ascii: "O") else { throw Silence(reason: "answered, but not as a milter does") }
    let version = answer[5...8].reduce(0) { $0 << 8 | Int($1) }
    leave(saying: "\0\0\0\u{1}Q")
    return "milter protocol \(version)"
  }

  fileprivate func unexpected(_ line: String) -> Silence {
    Silence(reason: "answered: \(printable(line))")
  }
}

// HTTP has more to it than one line.
extension ProbeChannel {
  /// `GET`: any 2xx status is an answer; its text and the body's first line are what is told.
  fileprivate func answerOfHTTP(_ url: ProbeURL) throws(Silence) -> String {
    let host = url.host.contains(":") ? "[\(url.host)]" : url.host
    let port = url.port == url.scheme.defaultPort ? "" : ":\(url.port ?? 0)"
    try send("GET \(url.path) HTTP/1.1\r\nHost: \(host)\(port)\r\nUser-Agent: mailboot\r\nConnection: close\r\n\r\n")
    let status = try expectLine("HTTP answer")
    let parts = status.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].hasPrefix("HTTP/") else { throw unexpected(status) }
    let answer = String(parts[1])
    let body = try firstBodyLine()
    let told = body.isEmpty ? answer : "\(answer) \(body)"
    guard parts[1].hasPrefix("2") else { throw unexpected(told) }
    leave(saying: nil)
    return told
  }

  /// Empty when there is no body or it does not come in time: the status line is the answer.
  private func firstBodyLine() throws(Silence) -> String {
    var isChunked = false
    for _ in 0..<200 {
      let header = try expectLine("HTTP header").lowercased()
      if header.isEmpty { break }
      if header == "content-length: 0" { return "" }
      if header.hasPrefix("transfer-encoding:"), header.contains("chunked") { isChunked = true }
    }
    attempt.shorten(to: 1)
    do throws(Silence) {
      if isChunked { _ = try line() }
      return try line() ?? ""
    } catch {
      return ""
    }
  }
}

extension String {
  /// True when `prefix` is all of it or is followed by a space: "220" begins "220 mail", not "2200".
  fileprivate func startsWithWord(_ prefix: String) -> Bool {
    hasPrefix(prefix) && (utf8.count == prefix.utf8.count || dropFirst(prefix.count).hasPrefix(" "))
  }
}
