import DNS
import Foundation
import MailHost
import TestSupport

/// A domain and its host in a small world of real name servers, and what is broken there.
struct BrokenZone: Sendable {
  var name: String
  /// On lines of the zone, whose `@` is the domain; `nil` takes a line out. What our own `mailhost dns` has made is what it begins with.
  var change: @Sendable (String) -> String?
  /// Lines beside the others.
  var added: [String] = []
  /// Of the second server: what it has in place of that; nil: the same. Empty: it does not have the zone.
  var second: (@Sendable ([String]) -> [String])?
  /// The policy that a web server has; nil: none answers.
  var policy: String? = BrokenZone.soundPolicy
  /// What the list of senders of spam says of the address.
  var listed: [String] = []
  var reverse: [String]?
  /// `SUBJECT RESULT`, of each finding that counts.
  var expected: Set<String>

  init(
    _ name: String, _ expected: Set<String>, added: [String] = [], policy: String? = BrokenZone.soundPolicy,
    listed: [String] = [], reverse: [String]? = nil, second: (@Sendable ([String]) -> [String])? = nil,
    change: @escaping @Sendable (String) -> String? = { $0 }
  ) {
    self.name = name
    self.expected = expected
    self.added = added
    self.policy = policy
    self.listed = listed
    self.reverse = reverse
    self.second = second
    self.change = change
  }

  static let soundPolicy = "version: STSv1\r\nmode: testing\r\nmx: mail.@\r\nmax_age: 604800\r\n"
}

/// Two name servers, one of them with other zones where a case wants that.
final class ZoneWorld {
  private let place: TemporaryDirectory
  private var servers: [Process] = []
  let ports: [UInt16]

  /// - Parameter zones: for each server the zones and their lines.
  init(_ zones: [[String: [String]]]) throws {
    place = try TemporaryDirectory()
    ports = zones.map { _ in UInt16.random(in: 20_000...30_000) }
    for (index, (zones, port)) in zip(zones, ports).enumerated() {
      try FileManager.default.createDirectory(atPath: place.file("\(index)"), withIntermediateDirectories: true)
      var settings = """
        server:
          listen: 127.0.0.1@\(port)
          rundir: \(place.file("\(index)"))
        database:
          storage: \(place.file("\(index)"))
        acl:
          - id: update
            address: 127.0.0.1
            action: update
        zone:

        """
      for (zone, lines) in zones {
        let file = try place.write("\(index)/\(zone).zone", lines.map { $0 + "\n" }.joined())
        settings += "  - domain: \(zone)\n    file: \(file)\n    acl: [update]\n"
      }
      let knot = Process()
      knot.executableURL = URL(fileURLWithPath: "/usr/sbin/knotd")
      knot.arguments = ["-c", try place.write("\(index)/knot.conf", settings)]
      knot.standardOutput = FileHandle.nullDevice
      knot.standardError = FileHandle.nullDevice
      try knot.run()
      servers.append(knot)
    }
    for (port, zones) in zip(ports, zones) {
      for zone in zones.keys {
        for _ in 0..<600 {
          let answer = try? DNSClient().ask(
            zone, .soa, of: DNSServer(address: "127.0.0.1", port: port), recursive: false, unchecked: false)
          if answer?.status == .noError { break }
          usleep(50_000)
        }
      }
    }
  }

  func stop() {
    for server in servers {
      server.terminate()
      server.waitUntilExit()
    }
  }

  /// 198.51.100.1 is the first server, .2 the second; nobody has another address. 198.51.100.53 resolves, by asking the first.
  var asking: Asking { Asking(ports: ports) }

  struct Asking: NameServerAsking {
    let ports: [UInt16]

    func ask(
      _ name: String, _ type: DNSType, of server: DNSServer, recursive: Bool, unchecked: Bool
    ) throws(DNSError) -> DNSAnswer {
      let port: UInt16
      switch server.address {
      case "198.51.100.1", "198.51.100.53": port = ports[0]
      case "198.51.100.2": port = ports[1]
      default: throw DNSError(.noAnswer, "\(server.text) does not answer")
      }
      // What a resolver adds to it, the flag of authority taken off, changes nothing for whoever asks a resolver.
      return try DNSClient().ask(
        name, type, of: DNSServer(address: "127.0.0.1", port: port), recursive: recursive, unchecked: unchecked)
    }
  }
}
