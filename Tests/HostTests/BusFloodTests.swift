import MachineKit
import SceneSupport
import Testing

/// Users without any right who ask the service as fast as the bus takes it. One host at a time: what is measured is its own.
@Suite(.serialized) struct BusFloodTests {
  /// `flood-bus SECONDS WAITS`: asks for all properties without a pause; with WAITS 1 takes the answers, with 0 wants none, and sends
  /// signals in between.
  private static let flood = """
    #!/usr/bin/python3
    import os, socket, struct, sys, threading, time

    def message(kind, flags, fields, body=b""):
        data = b""
        for code, signature, text in fields:
            data += b"\\0" * (-len(data) % 8) + bytes([code, 1, ord(signature), 0])
            data += bytes([len(text)]) if signature == "g" else struct.pack("<I", len(text))
            data += text + b"\\0"
        head = struct.pack("<cBBBIII", b"l", kind, flags, 1, len(body), 1, len(data)) + data
        return head + b"\\0" * (-len(head) % 8) + body

    bus, path, manager = b"org.freedesktop.DBus", b"/org/mailboot1", b"org.mailboot1.Manager"
    waits = sys.argv[2] == "1"
    text = struct.pack("<I", len(manager)) + manager + b"\\0"
    ask = message(1, 0 if waits else 1, [
        (1, "o", path), (2, "s", bus + b".Properties"), (3, "s", b"GetAll"), (6, "s", b"org.mailboot1"), (8, "g", b"s"),
    ], text)
    noise = message(4, 1, [(1, "o", path), (2, "s", manager), (3, "s", b"Noise"), (6, "s", b"org.mailboot1")])

    connection = socket.socket(socket.AF_UNIX)
    connection.connect("/run/dbus/system_bus_socket")
    connection.sendall(b"\\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\\r\\n")
    connection.recv(4096)
    connection.sendall(b"BEGIN\\r\\n")
    connection.sendall(message(1, 0, [(1, "o", b"/org/freedesktop/DBus"), (2, "s", bus), (3, "s", b"Hello"), (6, "s", bus)]))

    def drain():
        while connection.recv(1 << 20):
            pass

    threading.Thread(target=drain, daemon=True).start()
    batch = ask * 100 if waits else ask * 80 + noise * 20
    end = time.monotonic() + float(sys.argv[1])
    sent = 0
    while time.monotonic() < end:
        connection.sendall(batch)
        sent += 100
    print("sent", sent)

    """

  /// Seconds that an unlock takes by its own account, at the best of two.
  private static func secondsToUnlock(_ host: MailHost) async throws -> Double {
    var best = Double.infinity
    for _ in 0..<2 {
      let attempt = try await host.unlock()
      attempt.expectSuccess("ready in ")
      let words = attempt.stdout.split(separator: " ")
      best = min(best, words.firstIndex(of: "in").flatMap { Double(words[$0 + 1]) } ?? .infinity)
      try await host.guest.succeed("mailboot lock", timeout: .seconds(240))
    }
    return best
  }

  /// Four processes that do nothing but compute slow an unlock down, too; what counts is what they can do by the bus.
  @Test(arguments: Release.both)
  func aMinuteOfItCostsNeitherTheServiceNorAnUnlock(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.put(["flood-bus": Self.flood])
      try await host.guest.succeed(
        """
        mkdir -p /run/systemd/system/mailboot.service.d
        printf '[Service]\\nWatchdogSec=10\\n' >/run/systemd/system/mailboot.service.d/watchdog.conf
        systemctl daemon-reload
        """)
      try await host.beginWaiting()
      let busy = try await host.guest.start(
        "for n in 1 2 3 4; do su -s /bin/sh alice -c 'timeout 40 sh -c \"while :; do :; done\"' & done; wait")
      let beside = try await Self.secondsToUnlock(host)
      _ = try await busy.wait(timeout: .seconds(180))
      let process = try await host.guest.succeed("systemctl show -P MainPID mailboot")
      let flood = try await host.guest.start(
        "for waits in 0 1 0 1; do su -s /bin/sh alice -c \"flood-bus 60 $waits\" & done; wait")
      try await host.guest.succeed("sleep 5")
      let flooded = try await Self.secondsToUnlock(host)
      #expect(flooded <= beside * 1.5, "\(beside) s beside four who only compute, \(flooded) s beside the flood")
      // Everybody else is answered, too.
      try await host.guest.succeed(
        "timeout 10 busctl --timeout=10 get-property org.mailboot1 /org/mailboot1 org.mailboot1.Manager State")
      let sent = try await flood.wait(timeout: .seconds(180))
      #expect(sent.stdout.split(separator: "\n").count == 4, "\(sent.stdout)\(sent.stderr)")
      #expect(try await host.guest.succeed("systemctl show -P MainPID mailboot") == process)
      #expect(try await host.guest.succeed("systemctl show -P NRestarts mailboot") == "0\n")
    }
  }
}
