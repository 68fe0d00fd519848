import Foundation
import MachineKit
import SceneSupport

/// A mail host whose name server takes updates, in the world of ``NameServers``: example.org is signed there, and the zone of
/// example.net leads its keys to it.
struct KeyWorld {
  let scene: MailhostScene
  let names: NameServers

  /// How mail comes to the world's mail server.
  static let transport = """
    [postfix.main]
    transport_maps = "inline:{ other.example.com=smtp:[192.0.2.2]:25 }"

    """

  static func with(_ release: Release, _ test: (KeyWorld) async throws -> Void) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.own(
        """
        \(transport)
        [dns]
        publish = "nsupdate"
        server = "192.0.2.2"
        key_file = "/etc/mailboot/tsig.key"
        cname_base = "dkim.example.org"
        [dns.domain."example.net"]
        publish = "cname"
        """)
      try await scene.host.put("/etc/mailboot/tsig.key", Data(NameServers.key.utf8), mode: 0o600)
      try await scene.succeed("mailhost apply --no-test")
      // What signs already is published, as on every host.
      let keys = try await scene.succeed("mailhost dkim records --format zone")
      let lines = keys.split(separator: "\n")
      func own(_ domain: String) -> String { lines.filter { $0.contains(".\(domain). ") }.joined(separator: "\n") }
      let aliases = ["mailhost1", "mailhost2", "mailhost1e", "mailhost2e"].map {
        "\($0)._domainkey CNAME \($0).example.net.dkim.example.org."
      }
      try await NameServers.beside(scene) { names in
        try await names.start(
          records: [
            "example.org": NameServers.addresses + own("example.org"),
            "example.net": own("example.net") + "\n" + aliases.joined(separator: "\n") + "\n@ MX 10 mail.example.org.",
          ], signed: ["example.org"])
        try await scene.succeed("echo nameserver \(NameServers.resolver) >/etc/resolv.conf")
        try await test(KeyWorld(scene: scene, names: names))
      }
    }
  }

  /// Calls `mailhost dkim rotate` until it has said something.
  /// - Returns: all that it said.
  func rotate(_ options: String = "", until isDone: (String) -> Bool) async throws -> String {
    var said = ""
    for _ in 0..<20 {
      let step = try await scene.run("mailhost dkim rotate \(options)")
      said += step.stdout + step.stderr
      if ![0, 2].contains(step.status) || isDone(said) { break }
      try await Task.sleep(for: .seconds(1))
    }
    return said
  }
}

/// What `mailhost dkim status` says of one domain.
struct KeyStatus: Decodable {
  struct Key: Decodable {
    var selector: String
    var state: String
    var name: String
    var value: String
  }
  var signing: [String]
  var keys: [Key]

  func state(_ selector: String) -> String? { keys.first { $0.selector == selector }?.state }

  /// Keys that have not signed yet.
  var waiting: [Key] { keys.filter { ["next", "published"].contains($0.state) } }
}

extension KeyWorld {
  func status() async throws -> KeyStatus {
    let output = try await scene.run("mailhost dkim status --format json example.org")
    guard let status = try JSONDecoder().decode([KeyStatus].self, from: output.standardOutput).first else {
      throw MachineError(.host, "no status: \(output.stdout)\(output.stderr)")
    }
    return status
  }

  /// Publishes a key as a person does, and waits until both servers show it.
  func publish(_ key: KeyStatus.Key) async throws {
    let pieces = stride(from: 0, to: key.value.count, by: 200).map { start in
      "\"" + key.value.dropFirst(start).prefix(200) + "\""
    }
    let server = "knotc -s /run/primary/knot.sock"
    try await names.host.put("/root/change", Data(pieces.joined(separator: " ").utf8), mode: 0o644)
    try await names.host.succeed(
      """
      set -e
      \(server) zone-begin example.org
      \(server) zone-set example.org \(key.name). 10 TXT "$(cat /root/change)"
      \(server) zone-commit example.org
      for i in {1..100}; do kdig +short @192.0.2.3 TXT \(key.name) | grep -q DKIM1 && exit 0; sleep 0.1; done; exit 1
      """)
  }
}
