import Foundation
import MachineKit
import SceneSupport

/// A small world beside the mail host: name servers of some zones, resolvers, and another mail server that keeps what it gets.
///
/// | 192.0.2.2 | the primary server, which takes updates; also the mail server of `other.example.com` |
/// | 192.0.2.3 | a secondary that looks for changes every few seconds only |
/// | 192.0.2.4 | is named for the zones, and refuses |
/// | 192.0.2.5 | resolves, and verifies zones that are signed |
/// | 192.0.2.6 | resolves with a wrong key of the signed zones: for it they are bogus |
struct NameServers {
  let host: NativeHost

  static let resolver = "192.0.2.5"
  static let distrustingResolver = "192.0.2.6"
  /// How often the secondary looks, in seconds.
  static let refresh = 5

  /// Runs `test` in a world that a mail host, 192.0.2.1, is connected to; it is still to be started.
  static func beside(_ scene: MailhostScene, _ test: (NameServers) async throws -> Void) async throws {
    let host = try await NativeHost.neighbour()
    defer { host.close() }
    try await scene.host.connect("192.0.2.1/24", to: host, "192.0.2.2/24")
    try await MailVerifiers.put(on: host)
    try await test(NameServers(host: host))
  }

  /// - Parameters:
  ///   - records: lines of each zone beside what it needs itself.
  ///   - signed: zones of them that the primary signs, by itself; the resolver knows their keys and nobody else's.
  func start(records: [String: String], signed: Set<String> = []) async throws {
    let secret = "c2VjcmV0IG9mIHRoZSBzY2VuZSwgMzIgYnl0ZXMgbG9uZyE="
    try await host.succeed("mkdir -p /root/zones")
    for (zone, lines) in records {
      try await host.put("/root/zones/\(zone).zone", Data((Self.head + lines + "\n").utf8), mode: 0o644)
    }
    let zones = records.keys.sorted()
    let primary = zones.map { zone in
      "  - domain: \(zone)\n    file: /root/zones/\(zone).zone\n    acl: [update, transfer]\n"
        + (signed.contains(zone) ? "    dnssec-signing: on\n    dnssec-policy: scene\n" : "")
    }
    try await host.put(
      "/root/primary.conf",
      Data(
        (Self.server("192.0.2.2", "primary") + """
          key:
            - id: mailhost
              algorithm: hmac-sha256
              secret: \(secret)
          acl:
            - id: update
              key: mailhost
              action: update
            - id: transfer
              address: 192.0.2.0/24
              action: transfer
          policy:
            - id: scene
              algorithm: ecdsap256sha256
              single-type-signing: on
              ksk-lifetime: 0
              dnskey-ttl: 30
              propagation-delay: 1
              rrsig-lifetime: 7d
              rrsig-refresh: 1d
          zone:

          """ + primary.joined()).utf8), mode: 0o600)
    try await host.put(
      "/root/secondary.conf",
      Data(
        (Self.server("192.0.2.3", "secondary") + "remote:\n  - id: primary\n    address: 192.0.2.2\nzone:\n"
          + zones.map { "  - domain: \($0)\n    master: primary\n" }.joined()).utf8), mode: 0o600)
    try await host.put("/root/refusing.conf", Data(Self.server("192.0.2.4", "refusing").utf8), mode: 0o600)
    for (name, address) in [("resolver", Self.resolver), ("distrusting", Self.distrustingResolver)] {
      try await host.put("/root/\(name).conf", Data(Self.resolver(address, name, zones).utf8), mode: 0o644)
    }
    try await host.put("/root/sink.py", Data(Self.sink.utf8), mode: 0o644)
    // A key that nobody has, of the kind that the real ones are.
    let wrong = signed.map { "\($0). DS 1 13 2 \(String(repeating: "0", count: 64))\n" }.joined()
    try await host.put("/root/distrusting.anchors", Data(wrong.utf8), mode: 0o644)
    try await host.succeed(
      """
      set -e
      for last in 3 4 5 6; do ip address add 192.0.2.$last/24 dev lan0; done
      mkdir -p /root/received
      for server in primary secondary refusing; do
        mkdir -p /run/$server /root/db-$server
        systemd-run --quiet --unit knot-$server knotd -c /root/$server.conf
      done
      systemd-run --quiet --unit sink --setenv PYTHONPATH=/root aiosmtpd -n -l 192.0.2.2:25 -c sink.Keep /root/received
      waiting() {
        for i in {1..600}; do "$@" | grep -q . && return; sleep 0.1; done
        echo "waited in vain for: $*"; journalctl --no-pager -n 60; exit 1
      }
      for zone in \(zones.joined(separator: " ")); do waiting kdig +short @192.0.2.3 SOA $zone; done
      : >/root/resolver.anchors
      for zone in \(signed.sorted().joined(separator: " ")); do
        waiting kdig +short +dnssec @192.0.2.3 DNSKEY $zone
        kdig +short @192.0.2.2 DNSKEY $zone | sed "s/^/$zone. DNSKEY /" >>/root/resolver.anchors
      done
      for name in resolver distrusting; do systemd-run --quiet --unit $name unbound -d -c /root/$name.conf; done
      echo nameserver \(Self.resolver) >/etc/resolv.conf
      waiting kdig +short @\(Self.resolver) SOA \(zones[0])
      waiting kdig +short +cdflag @\(Self.distrustingResolver) SOA \(zones[0])
      systemctl is-active --quiet sink
      """)
  }

  /// Has the secondary look for no changes until ``letGo()``.
  func holdBack() async throws { try await host.succeed("knotc -s /run/secondary/knot.sock zone-freeze") }

  func letGo() async throws { try await host.succeed("knotc -s /run/secondary/knot.sock zone-thaw") }

  /// Removes the texts of a name, as a person does at the primary server.
  func remove(_ name: String, from zone: String) async throws {
    let server = "knotc -s /run/primary/knot.sock"
    try await host.succeed(
      "\(server) zone-begin \(zone) && \(server) zone-unset \(zone) \(name). TXT && \(server) zone-commit \(zone)")
  }

  /// What signs updates, as `tsig-keygen` writes it.
  static let key = """
    key "mailhost" {
    \talgorithm hmac-sha256;
    \tsecret "c2VjcmV0IG9mIHRoZSBzY2VuZSwgMzIgYnl0ZXMgbG9uZyE=";
    };

    """

  private static let head = """
    $TTL 10
    @ SOA ns1.example.org. hostmaster.example.org. 1 \(refresh) 5 1000 2
    @ NS ns1.example.org.
    @ NS ns2.example.org.
    @ NS ns3.example.org.

    """

  /// Of the zone example.org itself.
  static let addresses = """
    ns1 A 192.0.2.2
    ns2 A 192.0.2.3
    ns3 A 192.0.2.4
    mail A 192.0.2.1
    @ MX 10 mail

    """

  private static func resolver(_ address: String, _ name: String, _ zones: [String]) -> String {
    """
    server:
      interface: \(address)
      access-control: 192.0.2.0/24 allow
      username: ""
      chroot: ""
      directory: "/root"
      pidfile: ""
      use-syslog: no
      module-config: "validator iterator"
      trust-anchor-file: "/root/\(name).anchors"
      cache-max-negative-ttl: 2
      val-bogus-ttl: 2
      do-not-query-localhost: no
      do-ip6: no
      # Else this resolver itself would answer for addresses of examples.
      local-zone: "2.0.192.in-addr.arpa." nodefault

    """
      + zones.map { "stub-zone:\n  name: \($0)\n  stub-addr: 192.0.2.2\n  stub-addr: 192.0.2.3\n" }.joined()
  }

  private static func server(_ address: String, _ name: String) -> String {
    """
    server:
      listen: \(address)@53
      rundir: /run/\(name)
    database:
      storage: /root/db-\(name)
    log:
      - target: stderr
        any: info

    """
  }

  /// Keeps each mail as it came, under the time of its arrival.
  private static let sink = """
    import itertools, os, time

    class Keep:
        count = itertools.count()

        def __init__(self, place):
            self.place = place

        @classmethod
        def from_cli(cls, parser, *arguments):
            return cls(arguments[0])

        async def handle_DATA(self, server, session, envelope):
            name = "%s/%05d" % (self.place, next(self.count))
            with open(name + ".new", "wb") as file:
                file.write(envelope.original_content)
            os.rename(name + ".new", name)
            return "250 OK"

    """
}
