import Foundation
import MachineKit
import SceneSupport

/// A small world beside the mail host: name servers of two zones, a resolver, and another mail server that verifies what it gets.
///
/// 192.0.2.2 is the primary server and takes updates, 192.0.2.3 a secondary that looks for them every few seconds only, 192.0.2.4 is named
/// for the zones and refuses, 192.0.2.5 resolves. Mail to `other.example.com` goes to 192.0.2.2.
struct NameServers {
  let host: NativeHost

  static let packages = "knot knot-dnsutils unbound python3-aiosmtpd python3-dkim python3-dnspython libmail-dkim-perl"

  /// - Parameter records: lines of each zone beside what it needs itself.
  func start(records: [String: String]) async throws {
    let secret = "c2VjcmV0IG9mIHRoZSBzY2VuZSwgMzIgYnl0ZXMgbG9uZyE="
    try await host.succeed("mkdir -p /root/zones")
    for (zone, lines) in records {
      try await host.put("/root/zones/\(zone).zone", Data((Self.head + lines + "\n").utf8), mode: 0o644)
    }
    let zones = records.keys.sorted()
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
          zone:

          """
          + zones.map { "  - domain: \($0)\n    file: /root/zones/\($0).zone\n    acl: [update, transfer]\n" }.joined())
          .utf8), mode: 0o600)
    try await host.put(
      "/root/secondary.conf",
      Data(
        (Self.server("192.0.2.3", "secondary") + "remote:\n  - id: primary\n    address: 192.0.2.2\nzone:\n"
          + zones.map { "  - domain: \($0)\n    master: primary\n" }.joined()).utf8), mode: 0o600)
    try await host.put("/root/refusing.conf", Data(Self.server("192.0.2.4", "refusing").utf8), mode: 0o600)
    try await host.put(
      "/root/unbound.conf",
      Data(
        ("""
        server:
          interface: 192.0.2.5
          access-control: 192.0.2.0/24 allow
          username: ""
          chroot: ""
          directory: "/root"
          pidfile: ""
          use-syslog: no
          module-config: "iterator"
          cache-max-negative-ttl: 2
          do-not-query-localhost: no
          do-ip6: no

        """
          + zones.map { "stub-zone:\n  name: \($0)\n  stub-addr: 192.0.2.2\n  stub-addr: 192.0.2.3\n" }.joined())
          .utf8), mode: 0o644)
    try await host.put("/root/sink.py", Data(Self.sink.utf8), mode: 0o644)
    try await host.succeed(
      """
      set -e
      for last in 3 4 5; do ip address add 192.0.2.$last/24 dev lan0; done
      mkdir -p /root/received
      for server in primary secondary refusing; do
        mkdir -p /run/$server /root/db-$server
        systemd-run --quiet --unit knot-$server knotd -c /root/$server.conf
      done
      systemd-run --quiet --unit resolver unbound -d -c /root/unbound.conf
      systemd-run --quiet --unit sink --setenv PYTHONPATH=/root aiosmtpd -n -l 192.0.2.2:25 -c sink.Keep /root/received
      echo nameserver 192.0.2.5 >/etc/resolv.conf
      for i in {1..100}; do kdig +short @192.0.2.5 SOA example.org | grep -q . && kdig +short @192.0.2.3 SOA example.org | grep -q . &&
        systemctl is-active --quiet sink && exit 0; sleep 0.3; done
      journalctl --no-pager -n 60; exit 1
      """)
  }

  /// What signs updates, as `tsig-keygen` writes it.
  static let key = """
    key "mailhost" {
    \talgorithm hmac-sha256;
    \tsecret "c2VjcmV0IG9mIHRoZSBzY2VuZSwgMzIgYnl0ZXMgbG9uZyE=";
    };

    """

  private static let head = """
    $TTL 30
    @ SOA ns1.example.org. hostmaster.example.org. 1 25 5 1000 2
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

  /// Verifies mails by two programs that know nothing of each other: `verify FILE…` prints each that fails, with who says so.
  static let verifier = """
    #!/bin/bash
    for mail; do
      grep -qi '^DKIM-Signature:' "$mail" || { echo "$mail: unsigned"; continue; }
      dkimverify <"$mail" >/run/dkimpy 2>&1 || echo "$mail: dkimpy: $(tail -n 1 /run/dkimpy)"
      perl -MMail::DKIM::Verifier -e '
        $v = Mail::DKIM::Verifier->new;
        while (<STDIN>) { s/\\r?\\n$/\\r\\n/; $v->PRINT($_) }
        $v->CLOSE;
        for ($v->signatures) { print STDERR $_->result_detail, "\\n"; $bad = 1 if $_->result ne "pass" }
        exit($bad || !$v->signatures)' <"$mail" 2>/run/perl || echo "$mail: Mail::DKIM: $(tail -n 1 /run/perl)"
    done

    """
}
