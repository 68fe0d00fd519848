import MailbootCore

/// A conversation in lines with a service, over TCP or a Unix socket, with or without TLS.
package final class ProbeChannel {
  /// More than any greeting or header line of these protocols may have.
  private static let longestLine = 8192

  private let socket: StreamSocket
  private var tls: TLSSession?
  private var buffer: [UInt8] = []
  private var ended = false
  package let attempt: Attempt

  /// - Parameters:
  ///   - serverName: what to ask for when TLS comes first; nil: what the URL names.
  ///   - source: an IPv4 address of this machine to come from; nil: the kernel chooses.
  ///   - verifying: whether the certificate must be one for the name that this machine trusts.
  package init(
    to url: ProbeURL, attempt: Attempt, serverName: String? = nil, from source: String? = nil, verifying: Bool = false
  ) throws(Silence) {
    self.attempt = attempt
    attempt.awaited = "connection"
    socket = try StreamSocket.connect(to: url, from: source, attempt: attempt)
    if url.scheme.usesTLS {
      try startTLS(
        serverName: serverName ?? (isLiteralAddress(url.host) ? nil : url.host), verifying: verifying)
    }
  }

  /// Speaks TLS from here on.
  package func startTLS(serverName: String?, verifying: Bool = false) throws(Silence) {
    attempt.awaited = "TLS handshake"
    let session = try TLSSession(serverName: serverName, verifying: verifying)
    while true {
      let progress = Result { () throws(Silence) in try session.handshake() }
      // Also after a failure: the alert tells the server why.
      try socket.send(session.drain(), attempt: attempt)
      if case .done = try progress.get() { break }
      let bytes = try socket.receive(attempt: attempt)
      if bytes.isEmpty { throw Silence(reason: "closed the connection during the TLS handshake") }
      session.feed(bytes)
    }
    tls = session
  }

  /// What the server has shown of itself; nil without TLS.
  package var certificate: OpaquePointer? { tls?.peerCertificate() }

  package func send(_ text: String) throws(Silence) { try send(bytes: Array(text.utf8)) }

  package func send(bytes: [UInt8]) throws(Silence) {
    var bytes = bytes
    if let tls {
      try tls.encrypt(bytes)
      bytes = tls.drain()
    }
    try socket.send(bytes, attempt: attempt)
  }

  /// The next line without its end; what came before the end of the connection when no line end did; nil at the end.
  func line() throws(Silence) -> String? {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = buffer[..<end]
        buffer = Array(buffer[(end + 1)...])
        return String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
      }
      if ended || buffer.count > Self.longestLine {
        defer { buffer = [] }
        return buffer.isEmpty ? nil : String(decoding: buffer, as: UTF8.self)
      }
      do {
        let bytes = try receive()
        if bytes.isEmpty { ended = true }
        buffer += bytes
      } catch {
        guard error.timedOut, !buffer.isEmpty else { throw error }
        throw Silence(
          reason: "\(error.reason), only \"\(printable(String(decoding: buffer, as: UTF8.self), limit: 60))\"")
      }
    }
  }

  /// The next so many bytes of a protocol that is none of lines.
  package func bytes(_ count: Int, awaited: String) throws(Silence) -> [UInt8] {
    attempt.awaited = awaited
    while buffer.count < count {
      let more = try receive()
      if more.isEmpty { throw Silence(reason: "closed the connection before its \(awaited)") }
      buffer += more
    }
    defer { buffer = Array(buffer.dropFirst(count)) }
    return Array(buffer.prefix(count))
  }

  /// The next line; its absence is the reason for silence.
  package func expectLine(_ awaited: String) throws(Silence) -> String {
    attempt.awaited = awaited
    guard let line = try line() else { throw Silence(reason: "closed the connection before its \(awaited)") }
    return line
  }

  /// Leaves as the protocol wants it, so that the service logs no aborted session: says `farewell`, waits a moment for
  /// the other side to close, ends TLS. What was answered before counts whatever happens here, so errors only end this.
  package func leave(saying farewell: String?) {
    attempt.shorten(to: 1)
    do throws(Silence) {
      if let farewell {
        try send(farewell)
        while try line() != nil {}
      }
    } catch {
      // It does not close by itself: then we do.
    }
    guard let tls else { return }
    tls.shutdown()
    do throws(Silence) {
      try socket.send(tls.drain(), attempt: attempt)
    } catch {
      // It has closed already.
    }
  }

  private func receive() throws(Silence) -> [UInt8] {
    guard let tls else { return try socket.receive(attempt: attempt) }
    while true {
      if let bytes = try tls.decrypted() { return bytes }
      let bytes = try socket.receive(attempt: attempt)
      // Without TLS's own end: still an end for us, the service has said what it had to say.
      if bytes.isEmpty { return [] }
      tls.feed(bytes)
    }
  }
}
