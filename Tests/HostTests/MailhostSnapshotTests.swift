import Foundation
import MachineKit
import SceneSupport
import Testing

/// What cannot be made again is saved in one file, and comes back from it.
struct MailhostSnapshotTests {
  /// A pair of keys that is used for nothing else.
  private static let recipient = "age1d8dz9y0rymksfwq62gzskfrfkukwke5zshc3g5jqkc2wwpzc4gzs2ajxmw"
  private static let file = "/root/host.age"
  private static let open = "--identity /root/key.txt \(file)"

  @Test(arguments: Release.both)
  func whatIsLostComesBack(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.host.put(
        "/root/key.txt", Data("AGE-SECRET-KEY-1CTNRH74XCFTJQP9467KG26LC0C04LTQ8UJ9YUFCHC532ZRTACX9QKP2YV0\n".utf8),
        mode: 0o600)
      // Somebody changes the accounts all the time.
      try await scene.succeed(
        """
        (n=0; while [ ! -e /run/stop ] && [ $n -lt 2000 ]; do n=$((n+1))
        mailcfg addalias a$n@example.org bob@example.org >/dev/null 2>>/run/failed || echo $n >>/run/failed; done; touch /run/stopped) \
          >/dev/null 2>&1 &
        """)
      for number in 1...3 {
        try await scene.succeed("mailhost snapshot --recipient \(Self.recipient) /root/\(number).age")
        try await scene.succeed("mailhost verify-snapshot --identity /root/key.txt /root/\(number).age")
      }
      // Killed at any time, there is a whole one or none.
      try await scene.succeed(
        """
        for pause in 0.02 0.05 0.1 0.15 0.2 0.3; do
          timeout -s KILL $pause mailhost snapshot --recipient \(Self.recipient) /root/k$pause.age >/dev/null 2>&1
          [ ! -e /root/k$pause.age ] || mailhost verify-snapshot --identity /root/key.txt /root/k$pause.age >/dev/null || exit 1
        done
        """)
      try await scene.succeed(
        "touch /run/stop; while [ ! -e /run/stopped ]; do sleep 0.1; done; ! grep . /run/failed", timeout: .seconds(30))
      // On a full disk none.
      let full = try await scene.run(
        """
        mkdir /run/small; mount -t tmpfs -o size=16k tmpfs /run/small
        mailhost snapshot --recipient \(Self.recipient) /run/small/host.age; status=$?
        ls -A /run/small; exit $status
        """)
      #expect(full.status == 1 && full.stdout.isEmpty, "\(full.stdout)")
      #expect(full.stderr.contains("No space left on device"), "\(full.stderr)")

      try await scene.succeed("mailhost snapshot --recipient \(Self.recipient) \(Self.file)")
      #expect(try await scene.succeed("mailhost restore \(Self.open) </dev/null").contains("nothing to do"))
      let key = try await scene.succeed("ls /vault/dkim/example.org.*.key | head -n 1")
        .trimmingCharacters(in: .whitespacesAndNewlines)
      try await scene.succeed("rm /vault/maildb/maildb.sqlite3 \(key)")
      #expect(try await scene.run("mailboot verify").status != 0)
      let shown = try await scene.run("mailhost restore \(Self.open) </dev/null")
      #expect(shown.status == 2)
      // A daemon may have opened it meanwhile, which makes an empty one.
      #expect(
        ["missing", "empty  "].contains { shown.stdout.contains("  \($0)  /vault/maildb/maildb.sqlite3\n") },
        "\(shown.stdout)")
      #expect(shown.stdout.contains("  missing  \(key)\n"), "\(shown.stdout)")
      #expect(shown.stdout.split(separator: "\n").allSatisfy { $0.count < 80 }, "\(shown.stdout)")
      let written = try await scene.run("mailhost restore --write \(Self.open)")
      #expect(written.status == 0, "\(written.stdout)\(written.stderr)")
      try await scene.succeed("mailboot verify")
      try await scene.expectProven()

      // What came after it stays.
      try await scene.succeed("sleep 1; mailcfg addalias new@example.org bob@example.org")
      let newer = try await scene.run("mailhost restore --write \(Self.open)")
      #expect(newer.status == 2)
      #expect(newer.stdout.contains("           goes    alias new@example.org -> bob@example.org\n"), "\(newer.stdout)")
      try await scene.succeed("mailcfg lsalias | grep -q new@example.org")
      // Put back by name while the daemons have the file open.
      try await scene.succeed("mailhost restore --write --overwrite accounts \(Self.open)")
      #expect(try await scene.run("postmap -q new@example.org sqlite:/etc/postfix/sqlite/aliases.cf").stdout.isEmpty)
      try await scene.succeed(
        """
        for try in {1..50}; do doveadm user bob@example.org >/dev/null 2>&1 && break; sleep 0.1; done
        doveadm user bob@example.org && mailboot verify
        """)

      try await scene.succeed("mailboot lock")
      let locked = try await scene.run("mailhost snapshot --recipient \(Self.recipient) /root/locked.age")
      #expect(locked.status == 13, "\(locked.stderr)")
      #expect(try await scene.run("mailhost restore \(Self.open)").status == 13)
    }
  }
}
