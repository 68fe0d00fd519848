import Foundation
import HostChecks
import MailbootCore
import TestSupport
import Testing

/// Short times: a test server answers at once.
private func ask(_ url: String, timeout: Double = 0, attempt: Double = 10) -> ProbeReply {
  probe(ProbeRequest(url: url, timeout: timeout, attemptTimeout: attempt))
}

/// Says `greeting`, then notes every line and answers each with what `answer` gives; ends when that is nil.
private func speak(
  _ greeting: String, answer: @escaping @Sendable (String) -> String?
) -> @Sendable (ServedConnection, ProbeServer) -> Void {
  { connection, server in
    connection.send(greeting)
    while let line = connection.line() {
      server.note(line)
      guard let reply = answer(line) else { return }
      connection.send(reply)
      if line.hasSuffix("QUIT") || line.hasSuffix("LOGOUT") { return }
    }
    server.note("(closed)")
  }
}

@Suite("Probes")
struct ProbeTests {
  @Test func smtpGreetingIsAnsweredAndQuitIsSaid() throws {
    let server = try ProbeServer(serve: speak("220 mail.example.org ESMTP Postfix\r\n") { _ in "221 2.0.0 Bye\r\n" })
    #expect(ask("smtp://127.0.0.1:\(server.port)") == .answered("220 mail.example.org ESMTP Postfix"))
    #expect(server.notes == ["QUIT"])
  }

  @Test func smtpGreetingOfSeveralLinesIsReadToItsEnd() throws {
    let server = try ProbeServer { connection, server in
      connection.send("220-mail.example.org ESMTP\r\n")
      usleep(200_000)
      connection.send("220 mail.example.org ESMTP Postfix\r\n")
      server.note(connection.line() ?? "")
      connection.send("221 Bye\r\n")
    }
    #expect(ask("smtp://127.0.0.1:\(server.port)") == .answered("220-mail.example.org ESMTP"))
    #expect(server.notes == ["QUIT"])
  }

  @Test func greetingWithoutEndIsSilenceWhenTheTimeIsOver() throws {
    let server = try ProbeServer { connection, _ in
      let flood = String(repeating: "220-mail.example.org\r\n", count: 3000)
      for _ in 0..<2000 { connection.send(flood) }
    }
    let reply = ask("smtp://127.0.0.1:\(server.port)", attempt: 0.5)
    // What is left of a line when the time is over may follow.
    #expect("\(reply)".hasPrefix("silent(\"no end of the greeting within 0.5 s"))
  }

  @Test func refusingGreetingIsSilence() throws {
    let server = try ProbeServer(serve: speak("421 4.3.2 Service not available\r\n") { _ in nil })
    #expect(ask("smtp://127.0.0.1:\(server.port)") == .silent("answered: 421 4.3.2 Service not available"))
  }

  @Test func otherProtocolsGreetingIsSilence() throws {
    let server = try ProbeServer(serve: speak("SSH-2.0-OpenSSH_9.2\r\n") { _ in nil })
    #expect(ask("smtp://127.0.0.1:\(server.port)") == .silent("answered: SSH-2.0-OpenSSH_9.2"))
    #expect(ask("imap://127.0.0.1:\(server.port)") == .silent("answered: SSH-2.0-OpenSSH_9.2"))
    #expect(ask("sieve://127.0.0.1:\(server.port)") == .silent("answered: SSH-2.0-OpenSSH_9.2"))
    #expect(ask("http://127.0.0.1:\(server.port)/") == .silent("answered: SSH-2.0-OpenSSH_9.2"))
    #expect(ask("redis://127.0.0.1:\(server.port)") == .silent("answered: SSH-2.0-OpenSSH_9.2"))
  }

  @Test func lmtpIsAskedOnItsUnixSocket() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("dovecot-lmtp")
    let server = try ProbeServer(unix: path, serve: speak("220 mail Dovecot ready.\r\n") { _ in "221 Bye\r\n" })
    #expect(ask("lmtp://\(path)") == .answered("220 mail Dovecot ready."))
    #expect(server.notes == ["QUIT"])
    #expect(ask("unix://\(path)") == .answered("accepts connections"))
  }

  @Test func imapGreetingIsAnsweredAndLogoutIsSaid() throws {
    let server = try ProbeServer(
      serve: speak("* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n") { _ in "* BYE\r\na OK Logout\r\n" })
    #expect(ask("imap://localhost:\(server.port)") == .answered("* OK [CAPABILITY IMAP4rev1] Dovecot ready."))
    #expect(server.notes == ["a LOGOUT"])
  }

  @Test func imapByeIsSilence() throws {
    let server = try ProbeServer(serve: speak("* BYE Too many connections\r\n") { _ in nil })
    #expect(ask("imap://127.0.0.1:\(server.port)") == .silent("answered: * BYE Too many connections"))
  }

  @Test func imapsSpeaksTLSAndEndsItCleanly() throws {
    let certificate = try CertificateFixture()
    let server = try ProbeServer(tls: certificate) { connection, server in
      connection.send("* OK ready\r\n")
      server.note(connection.line() ?? "")
      server.note(connection.serverName ?? "no name")
      connection.send("* BYE\r\na OK Logout\r\n")
      // The client keeps waiting for the end for a moment, then ends TLS itself.
      while connection.line() != nil {}
      server.note(connection.clientEndedTLS ? "ended" : "cut off")
    }
    #expect(ask("imaps://127.0.0.1:\(server.port)") == .answered("* OK ready"))
    try waitUntil { server.notes.count == 3 }
    #expect(server.notes == ["a LOGOUT", "no name", "ended"])
  }

  @Test func serverNameIsSentForANameOnly() throws {
    let server = try ProbeServer(tls: try CertificateFixture()) { connection, server in
      server.note(connection.serverName ?? "no name")
      connection.send("220 hello\r\n")
      _ = connection.line()
    }
    #expect(ask("smtps://localhost:\(server.port)") == .answered("220 hello"))
    #expect(server.notes == ["localhost"])
  }

  @Test func plainServerBehindATLSProbeIsSilence() throws {
    let server = try ProbeServer(serve: speak("* OK ready\r\n") { _ in nil })
    guard case .silent(let reason) = ask("imaps://127.0.0.1:\(server.port)") else {
      Issue.record("answered")
      return
    }
    #expect(reason.hasPrefix("TLS handshake failed: "))
  }

  @Test func tlsServerThatNeverAnswersTheHandshakeIsSilence() throws {
    let server = try ProbeServer { connection, _ in while connection.line() != nil {} }
    #expect(ask("imaps://127.0.0.1:\(server.port)", attempt: 0.3) == .silent("no TLS handshake within 0.3 s"))
  }

  @Test func pop3AndItsTLSFormAnswer() throws {
    let plain = try ProbeServer(serve: speak("+OK Dovecot ready.\r\n") { _ in "+OK Bye\r\n" })
    #expect(ask("pop3://127.0.0.1:\(plain.port)") == .answered("+OK Dovecot ready."))
    #expect(plain.notes == ["QUIT"])
    let tls = try ProbeServer(tls: try CertificateFixture(), serve: speak("+OK ready\r\n") { _ in "+OK Bye\r\n" })
    #expect(ask("pop3s://127.0.0.1:\(tls.port)") == .answered("+OK ready"))
  }

  @Test func manageSieveCapabilitiesAreReadUpToOK() throws {
    let server = try ProbeServer(
      serve: speak("\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"SASL\" \"\"\r\nOK \"Dovecot ready.\"\r\n") { _ in
        "OK \"Logout completed.\"\r\n"
      })
    #expect(
      ask("sieve://127.0.0.1:\(server.port)")
        == .answered("\"IMPLEMENTATION\" \"Dovecot Pigeonhole\" … OK \"Dovecot ready.\""))
    #expect(server.notes == ["LOGOUT"])
  }

  @Test func httpAnswerTellsStatusAndFirstBodyLine() throws {
    let server = try ProbeServer { connection, server in
      while let line = connection.line(), !line.isEmpty { server.note(line) }
      connection.send("HTTP/1.1 200 OK\r\nServer: rspamd\r\nContent-Length: 6\r\n\r\npong\r\n")
    }
    #expect(ask("http://127.0.0.1:\(server.port)/ping") == .answered("200 OK pong"))
    #expect(server.notes.first == "GET /ping HTTP/1.1")
    #expect(server.notes.contains("Host: 127.0.0.1:\(server.port)"))
    #expect(server.notes.contains("Connection: close"))
  }

  @Test func httpErrorStatusIsSilence() throws {
    let server = try ProbeServer { connection, _ in
      while let line = connection.line(), !line.isEmpty {}
      connection.send("HTTP/1.1 503 Service Unavailable\r\n\r\nloading\r\n")
    }
    #expect(ask("http://127.0.0.1:\(server.port)/") == .silent("answered: 503 Service Unavailable loading"))
  }

  @Test func httpBodyInChunksAndHttpOverTLS() throws {
    let server = try ProbeServer(ipv6: true, tls: try CertificateFixture()) { connection, server in
      while let line = connection.line(), !line.isEmpty { server.note(line) }
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n0\r\n\r\n")
    }
    #expect(ask("https://[::1]:\(server.port)/ping") == .answered("200 OK pong"))
    #expect(server.notes.contains("Host: [::1]:\(server.port)"))
  }

  @Test func httpAnswerCountsThoughItsBodyNeverComes() throws {
    let server = try ProbeServer { connection, _ in
      while let line = connection.line(), !line.isEmpty {}
      connection.send("HTTP/1.1 204 No Content\r\n\r\n")
      while connection.line() != nil {}
    }
    #expect(ask("http://127.0.0.1:\(server.port)/") == .answered("204 No Content"))
  }

  @Test(arguments: [
    ("+PONG", ProbeReply.answered("+PONG")),
    ("-NOAUTH Authentication required.", .answered("-NOAUTH Authentication required.")),
    ("-LOADING Redis is loading", .silent("answered: -LOADING Redis is loading")),
    ("-MISCONF Redis is configured", .silent("answered: -MISCONF Redis is configured")),
  ])
  func redisPing(answer: String, expected: ProbeReply) throws {
    let server = try ProbeServer(serve: speak("") { $0 == "PING" ? answer + "\r\n" : "+OK\r\n" })
    #expect(ask("redis://127.0.0.1:\(server.port)") == expected)
    #expect(server.notes.first == "PING")
  }

  @Test func tcpOnlyConnects() throws {
    let server = try ProbeServer { connection, _ in while connection.line() != nil {} }
    #expect(ask("tcp://127.0.0.1:\(server.port)") == .answered("accepts connections"))
  }

  @Test func refusedConnectionSaysSo() throws {
    let port = try unusedPort()
    #expect(ask("smtp://127.0.0.1:\(port)") == .silent("connection refused"))
    #expect(ask("tcp://[::1]:\(port)") == .silent("connection refused"))
    #expect(ask("unix:///nonexistent/socket") == .silent("no such file or directory"))
  }

  @Test func unknownNameSaysSo() {
    guard case .silent(let reason) = ask("smtp://no-such-host.invalid") else {
      Issue.record("answered")
      return
    }
    #expect(reason.hasPrefix("cannot resolve no-such-host.invalid: "))
  }

  @Test func silentServerIsGivenUpInTime() throws {
    let server = try ProbeServer { connection, _ in while connection.line() != nil {} }
    let start = ContinuousClock.now
    #expect(ask("smtp://127.0.0.1:\(server.port)", attempt: 0.5) == .silent("no greeting within 0.5 s"))
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test func serverThatClosesAtOnceSaysSo() throws {
    let server = try ProbeServer { _, _ in }
    guard case .silent(let reason) = ask("smtp://127.0.0.1:\(server.port)") else {
      Issue.record("answered")
      return
    }
    #expect(["closed the connection before its greeting", "connection reset by peer"].contains(reason))
  }

  @Test func slowDripDoesNotStretchAnAttempt() throws {
    let server = try ProbeServer { connection, _ in
      for _ in 0..<20 {
        connection.send("2")
        usleep(100_000)
      }
    }
    guard case .silent(let reason) = ask("smtp://127.0.0.1:\(server.port)", attempt: 0.5) else {
      Issue.record("answered")
      return
    }
    #expect(reason.hasPrefix("no greeting within 0.5 s, only \"22"))
  }

  @Test func endlessLineIsCutOff() throws {
    let server = try ProbeServer { connection, _ in
      for _ in 0..<64 { connection.send(String(repeating: "\u{7}x", count: 4096)) }
    }
    guard case .silent(let reason) = ask("smtp://127.0.0.1:\(server.port)") else {
      Issue.record("answered")
      return
    }
    #expect(reason.hasPrefix("answered: ?x?x") && reason.count <= 211)
  }

  @Test func serverThatComesUpLaterIsWaitedFor() throws {
    let server = try ProbeServer { connection, server in
      guard server.connections > 3 else {
        connection.send("421 starting\r\n")
        return
      }
      connection.send("220 ready\r\n")
      _ = connection.line()
    }
    #expect(ask("smtp://127.0.0.1:\(server.port)", timeout: 20) == .answered("220 ready"))
    #expect(server.connections == 4)
  }

  @Test func waitingCostsLittle() throws {
    let server = try ProbeServer(serve: speak("421 never\r\n") { _ in nil })
    let start = ContinuousClock.now
    #expect(ask("smtp://127.0.0.1:\(server.port)", timeout: 2) == .silent("answered: 421 never"))
    #expect(ContinuousClock.now - start >= .seconds(1.4))
    #expect((5...14).contains(server.connections), "\(server.connections) attempts in 2 s")
  }

  @Test func badURLIsToldAtOnce() {
    #expect(
      ask("smpt://127.0.0.1", timeout: 60)
        == .silent(
          "bad probe URL: unknown scheme \"smpt\": expected one of smtp, smtps, lmtp, imap, imaps, pop3, pop3s, sieve, "
            + "http, https, redis, milter, tcp, unix"))
  }
}

/// For what another thread is about to do; gives up after 10 s.
func waitUntil(_ condition: () -> Bool) throws {
  for _ in 0..<1000 where !condition() { usleep(10_000) }
  try #require(condition())
}
