import Foundation
import MachineKit
import SceneSupport

/// A mail host whose name server takes updates, in the world of ``NameServers``: example.org is signed there, and the zone of
/// example.net leads its keys to it.
struct KeyWorld {
  let scene: MailhostScene
  let names: NameServers

  static func with(_ release: Release, _ test: (KeyWorld) async throws -> Void) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.own(
        """
        dkim_ed25519 = true
        [postfix.main]
        transport_maps = "inline:{ other.example.com=smtp:[192.0.2.2]:25 }"
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
      let own = keys.split(separator: "\n").filter {
        $0.contains(".example.org. ") && !$0.contains("dkim.example.org.")
      }
      let net = try await scene.succeed("cat /vault/dkim/example.net.202001.txt")
      let aliases = ["mailhost1", "mailhost2", "mailhost1e", "mailhost2e"].map {
        "\($0)._domainkey CNAME \($0).example.net.dkim.example.org."
      }
      try await NameServers.beside(scene) { names in
        try await names.start(
          records: [
            "example.org": NameServers.addresses + own.joined(separator: "\n"),
            "example.net": net + aliases.joined(separator: "\n") + "\n@ MX 10 mail.example.org.",
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
      if step.status != 0 || isDone(said) { break }
      try await Task.sleep(for: .seconds(1))
    }
    return said
  }
}
