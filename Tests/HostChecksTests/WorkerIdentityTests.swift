import Foundation
import Linux
import MailbootCore
import TestSupport
import Testing

/// What comes from the network is parsed by a process that is nobody.
@Suite struct WorkerIdentityTests {
  /// The user of the connection to the port of ours, as the kernel has it (proc_net(5)).
  private static func user(connectedTo port: UInt16) -> String? {
    let hex = String(port, radix: 16).uppercased()
    let wanted = ":" + String(repeating: "0", count: 4 - hex.count) + hex
    // The table is not read at one moment: a line may be missed while others come and go. Foundation would give its
    // first page only: the kernel says no length, and never fills a longer buffer.
    for _ in 0..<40 {
      let table = String(decoding: readSmallFile("/proc/net/tcp", limit: 16 << 20) ?? [], as: UTF8.self)
      for line in table.split(separator: "\n").dropFirst() {
        let fields = line.split(separator: " ")
        if fields.count > 7, fields[2].hasSuffix(wanted), fields[3] == "01" { return String(fields[7]) }
      }
      usleep(50_000)
    }
    return nil
  }

  private func ask(_ verb: String, _ json: String) throws -> (status: Int32, output: String) {
    let worker = try builtProgram("mailboot-worker")
    return try runInShell("printf '%s' '\(json)' | \(worker) \(verb)")
  }

  @Test func aProbeIsMadeByNobody() throws {
    let server = try ProbeServer { connection, server in
      server.note(Self.user(connectedTo: server.port) ?? "?")
      connection.send("220 mail.example.org ESMTP\r\n")
    }
    let reply = try ask("probe", "{\"url\":\"smtp://127.0.0.1:\(server.port)\",\"timeout\":5,\"attemptTimeout\":5}")
    #expect(reply.output.contains("220 mail.example.org ESMTP"), "\(reply.output)")
    #expect(server.notes == ["65534"])
  }

  @Test func aServedCertificateIsParsedByNobodyAndRootsKeyIsReadAllTheSame() throws {
    let fixture = try CertificateFixture()
    #expect(chmod(fixture.key, 0o600) == 0)
    // It waits for the handshake, which never comes.
    let server = try ProbeServer { _, server in server.note(Self.user(connectedTo: server.port) ?? "?") }
    let reply = try ask(
      "certificate",
      """
      {"pairs":[{"certificate":"\(fixture.certificate)","key":"\(fixture.key)"}],"chainFiles":[],"hostName":null,\
      "served":["imaps://127.0.0.1:\(server.port)"]}
      """)
    #expect(reply.output.contains("certificate and key match"), "\(reply.output)")
    #expect(server.notes == ["65534"])
  }
}
