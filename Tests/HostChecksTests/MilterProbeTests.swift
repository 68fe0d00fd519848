import Foundation
import HostChecks
import MailbootCore
import TestSupport
import Testing

/// A mail filter, such as rspamd that scans by itself and has no HTTP port.
@Suite("Milter probes")
struct MilterProbeTests {
  private func ask(_ url: String) -> ProbeReply {
    probe(ProbeRequest(url: url, timeout: 0.5, attemptTimeout: 0.5))
  }

  private static let answer: [UInt8] = [0, 0, 0, 13, UInt8(ascii: "O"), 0, 0, 0, 6] + [UInt8](repeating: 0, count: 8)

  @Test func itsNegotiationIsAnAnswer() throws {
    let server = try ProbeServer { connection, server in
      let request = connection.bytes(17)
      server.note(request.count == 17 && request[4] == UInt8(ascii: "O") ? "O" : "?")
      connection.send(bytes: Self.answer)
    }
    #expect(ask("milter://127.0.0.1:\(server.port)") == .answered("milter protocol 6"))
    #expect(server.notes == ["O"])
  }

  @Test func itMayBeBehindAUnixSocket() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("milter.sock")
    let server = try ProbeServer(unix: path) { connection, _ in
      _ = connection.bytes(17)
      connection.send(bytes: Self.answer)
    }
    #expect(ask("milter://\(path)") == .answered("milter protocol 6"))
    #expect(server.connections == 1)
  }

  @Test func anotherProtocolIsNone() throws {
    let server = try ProbeServer { connection, _ in connection.send("HTTP/1.1 400 Bad Request\r\n") }
    #expect(ask("milter://127.0.0.1:\(server.port)") == .silent("answered, but not as a milter does"))
  }

  @Test func itHasNoPortOfItsOwn() {
    #expect(throws: ProbeURLError.noPort(.milter)) { try ProbeURL(parsing: "milter://127.0.0.1") }
  }
}
