import Foundation
import MachineKit
import SceneSupport
import Testing

/// An account whose password was stolen: it is held up, the administrator hears of it once, and nobody else notices.
struct MailhostLimitsTests {
  /// What `mailhost limits --format json` says.
  private struct Shown: Decodable {
    struct User: Decodable {
      struct Reached: Decodable {
        var limit: String
        var since: String?
      }
      var user: String
      var messages: Int
      var recipients: Int
      var newRecipients: Int
      var refused: Int
      var reached: [Reached]

      enum CodingKeys: String, CodingKey {
        case user, messages, recipients, refused, reached
        case newRecipients = "new_recipients"
      }
    }
    var users: [User]

    func user(_ name: String) -> User? { users.first { $0.user == name + "@example.org" } }
  }

  private static func shown(_ scene: MailhostScene) async throws -> Shown {
    try JSONDecoder().decode(Shown.self, from: Data(try await scene.succeed("mailhost limits --format json").utf8))
  }

  /// Sends as a user, and gives the answer to it.
  private static let send = """
    #!/bin/sh
    user=$1; shift
    for name; do to="$to --mail-rcpt $name@elsewhere.example"; done
    printf 'From: %s@example.org\\r\\nTo: all:;\\r\\nSubject: offer\\r\\n\\r\\nBuy.\\r\\n' $user |
      curl -sS -k --url smtps://127.0.0.1:465 --mail-from $user@example.org $to -u $user@example.org:secret-$user -T - -v 2>&1 |
      sed -n 's/^< \\([245].*\\)/\\1/p' | tail -1

    """

  @Test(arguments: Release.both)
  func aStolenAccountIsHeldUpAndTheAdministratorHearsOfItOnce(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.own(
        """
        [limits]
        new_recipients_per_day = 6
        [limits.user."alice@example.org"]
        new_recipients_per_day = 0
        """)
      try await scene.succeed("mailhost apply && postsuper -d ALL >/dev/null 2>&1")
      #expect(try await scene.succeed("systemctl is-active mailhost-limits.timer") == "active\n")
      try await scene.host.put("/root/send", Data(Self.send.utf8), mode: 0o755)
      func send(_ user: String, _ names: String) async throws -> String {
        try await scene.succeed("/root/send \(user) \(names)")
      }
      func expect(_ answer: String, taken: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(answer.hasPrefix(taken ? "250 " : "451 4.7.1 "), "\(answer)", sourceLocation: sourceLocation)
      }

      // What the host itself has tried.
      try await scene.succeed("mailhost limits clear alice@example.org")
      expect(try await send("bob", "a b c"), taken: true)
      expect(try await send("bob", "A c"), taken: true)
      // At the same time, too, only as many as there may be.
      let many = try await scene.succeed(
        "for n in {1..12}; do /root/send bob n$n >/root/answer-$n & done; wait; cat /root/answer-* | cut -c1-3 | sort | uniq -c"
      )
      #expect(many.split(whereSeparator: \.isWhitespace).map(String.init) == ["3", "250", "9", "451"], "\(many)")
      let late = try await send("bob", "late")
      #expect(late.contains("bob@example.org has reached its 6 new recipients in 24 hours; try again later"), "\(late)")
      // Whom it knows it can still write to, and others are not concerned.
      expect(try await send("bob", "a n-none"), taken: false)
      expect(try await send("bob", "b"), taken: true)
      expect(try await send("alice", "1 2 3 4 5 6 7 8"), taken: true)
      expect(try await send("bob", "late"), taken: false)
      // Nothing is forgotten when redis is started anew.
      try await scene.succeed("redis-cli save >/dev/null; systemctl restart redis-server; sleep 1")
      expect(try await send("bob", "late"), taken: false)

      let counts = try await Self.shown(scene)
      let bob = try #require(counts.user("bob"))
      #expect(bob.messages == 6 && bob.recipients == 9 && bob.newRecipients == 6 && bob.refused == 13)
      #expect(bob.reached.map(\.limit) == ["new_recipients_per_day"] && bob.reached.first?.since != nil)
      #expect(counts.user("alice")?.newRecipients == 8 && counts.user("alice")?.reached.isEmpty == true)
      #expect(counts.users.count == 2)
      let text = try await scene.succeed("mailhost limits")
      #expect(text.contains("\n  6 of 500 messages, 9 of 1000 recipients, 6 of 6 of them new\n"), "\(text)")
      #expect(text.contains("\n  ! put off since "), "\(text)")
      #expect(text.split(separator: "\n").allSatisfy { $0.count < 80 }, "\(text)")

      // One mail, however often it is looked.
      try await scene.succeed("systemctl start mailhost-limits.service; systemctl start mailhost-limits.service")
      let mails = """
        for try in {1..40}; do
          found=$(grep -rlc 'has reached 6 new recipients a day' /vault/vmail/example.org/alice/new | wc -l)
          [ $found -gt 0 ] && break; sleep 0.5
        done; sleep 1
        grep -rl 'Subject: .*has reached 6 new recipients a day' /vault/vmail/example.org/alice/new | wc -l
        """
      #expect(try await scene.succeed(mails) == "1\n")

      let cleared = try await scene.succeed("mailhost limits clear bob@example.org")
      #expect(
        cleared == """
          cleared of bob@example.org: 6 messages, 9 recipients, 6 of them new
          it had reached 6 new recipients a day, and may send again now

          """)
      expect(try await send("bob", "late"), taken: true)
      #expect(try await Self.shown(scene).user("bob")?.newRecipients == 1)
      #expect(
        try await scene.succeed("mailhost limits clear carol@example.org").hasPrefix(
          "carol@example.org has sent nothing"))

      // Rather uncounted than not at all.
      try await scene.succeed("systemctl stop mailboot redis-server")
      expect(try await send("bob", "down"), taken: true)
      let down = try await scene.run("mailhost limits")
      #expect(down.status == 1 && down.stderr.contains("hint: `mailboot status`"), "\(down.stderr)")
      try await scene.succeed("systemctl start redis-server mailboot; mailboot lock")
      let locked = try await scene.run("mailhost limits")
      #expect(locked.status == 13 && locked.stderr.contains("hint: `mailboot` unlocks it"), "\(locked.stderr)")
      try await scene.succeed("mailhost limits tell")
    }
  }
}
