import DNS
import Foundation
import TestSupport
import Testing

/// Updates of a zone, and questions about it, to a real name server of our own.
@Suite(.serialized)
struct UpdateTests {
  private static let secret = "c2VjcmV0IG9mIHRoZSBzY2VuZSwgMzIgYnl0ZXMgbG9uZyE="

  /// Runs `test` beside a knotd that has the zone example.org, on a port that nobody else has.
  private func withServer(_ test: (DNSServer) throws -> Void) throws {
    let place = try TemporaryDirectory()
    let port = UInt16.random(in: 20_000...30_000)
    try place.write(
      "example.org.zone",
      "$TTL 30\n@ SOA ns1.example.org. h.example.org. 1 60 30 1000 2\n@ NS ns1.example.org.\nns1 A 127.0.0.1\n"
        + "@ MX 10 mail\nmail AAAA 2001:db8::1\n@ CAA 0 issue \"ca.example\"\n_imaps._tcp SRV 0 1 993 mail\n"
        + "long TXT \"\(String(repeating: "x", count: 255))\" \"y;z\"\n")
    try place.write(
      "knot.conf",
      """
      server:
        listen: 127.0.0.1@\(port)
        rundir: \(place.file("."))
      database:
        storage: \(place.file("."))
      key:
        - id: mailhost
          algorithm: hmac-sha256
          secret: \(Self.secret)
      acl:
        - id: update
          key: mailhost
          action: update
      zone:
        - domain: example.org
          file: \(place.file("example.org.zone"))
          acl: [update]
      """)
    let knot = Process()
    knot.executableURL = URL(fileURLWithPath: "/usr/sbin/knotd")
    knot.arguments = ["-c", place.file("knot.conf")]
    knot.standardOutput = FileHandle.nullDevice
    knot.standardError = FileHandle.nullDevice
    try knot.run()
    defer {
      knot.terminate()
      knot.waitUntilExit()
    }
    let server = DNSServer(address: "127.0.0.1", port: port)
    for _ in 0..<600 {
      if let answer = try? ask("example.org", .soa, server), answer.status == .noError { break }
      usleep(100_000)
    }
    try test(server)
  }

  private func ask(_ name: String, _ type: DNSType, _ server: DNSServer) throws -> DNSAnswer {
    try DNSClient().ask(name, type, of: server, recursive: false, unchecked: false)
  }

  private func key(_ name: String = "mailhost", _ secret: String = Self.secret, _ algorithm: String = "hmac-sha256")
    -> UpdateKey
  {
    UpdateKey(name: name, algorithm: algorithm, secret: secret)
  }

  @Test func recordsAreAddedReplacedAndRemoved() throws {
    try withServer { (server: DNSServer) throws in
      let name = "k._domainkey.example.org"
      for text in ["first", "second"] {
        let update = DNSUpdate(
          zone: "example.org", [.remove(name: name, .txt), .add("\(name). 60 IN TXT \"\(text)\"")])
        #expect(try update.send(to: server, key: key()) == .noError)
        #expect(try ask(name, .txt, server).records(of: name, .txt).map(\.text) == [text])
      }
      let removal = DNSUpdate(zone: "example.org", [.remove(name: name, .txt)])
      #expect(try removal.send(to: server, key: key()) == .noError)
      #expect(try removal.send(to: server, key: key()) == .noError, "again changes nothing")
      #expect(try ask(name, .txt, server).status == .noSuchName)
    }
  }

  @Test func whoeverHasNoKeyOrAWrongOneChangesNothing() throws {
    try withServer { (server: DNSServer) throws in
      let update = DNSUpdate(zone: "example.org", [.add("x.example.org. 60 IN TXT \"x\"")])
      #expect(try update.send(to: server, key: nil) != .noError)
      for wrong in [
        key("somebody"), key("mailhost", "b3RoZXIgc2VjcmV0"), key("mailhost", Self.secret, "hmac-sha1"),
        key("mailhost", Self.secret, "rot13"),
      ] {
        let error = #expect(throws: DNSError.self, "\(wrong)") { try update.send(to: server, key: wrong) }
        #expect(error?.reason == .badKey, "\(wrong)")
      }
      #expect(try ask("x.example.org", .txt, server).status == .noSuchName)
      #expect(throws: DNSError.self) {
        try DNSUpdate(zone: "example.org", [.add("x.example.org. IN A 999.1")]).send(to: server, key: key())
      }
    }
  }

  @Test func recordsOfEveryKindAreRead() throws {
    try withServer { (server: DNSServer) throws in
      #expect(
        try ask("EXAMPLE.org", .mx, server).records.map(\.data) == [.mx(preference: 10, host: "mail.example.org")])
      #expect(try ask("mail.example.org", .aaaa, server).records.map(\.data) == [.address("2001:db8::1")])
      #expect(
        try ask("example.org", .caa, server).records.map(\.data) == [.caa(flags: 0, tag: "issue", value: "ca.example")])
      #expect(
        try ask("_imaps._tcp.example.org", .srv, server).records.map(\.data) == [
          .srv(priority: 0, weight: 1, port: 993, target: "mail.example.org")
        ])
      #expect(try ask("example.org", .ns, server).records.map(\.target) == ["ns1.example.org"])
      let long = try ask("long.example.org", .txt, server)
      #expect(long.records.map(\.text) == [String(repeating: "x", count: 255) + "y;z"])
      #expect(long.isAuthoritative)
    }
  }
}
