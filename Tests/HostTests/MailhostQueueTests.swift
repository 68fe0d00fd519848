import Foundation
import MachineKit
import SceneSupport
import Testing

/// What cannot be delivered waits, is shown, held, released and deleted.
struct MailhostQueueTests {
  /// What `mailhost queue --format json` says.
  private struct Queue: Decodable {
    struct Group: Decodable {
      var destination: String
      var reason: String?
      var mails: Int
    }
    var mails: Int
    var queues: [String: Int]
    var groups: [Group]
  }

  private static func queue(_ scene: MailhostScene) async throws -> Queue {
    let text = try await scene.succeed("mailhost queue --format json")
    return try JSONDecoder().decode(Queue.self, from: Data(text.utf8))
  }

  /// Waits until the two mails lie where they are to lie.
  private static func wait(_ scene: MailhostScene, for place: String) async throws {
    try await scene.succeed(
      """
      for try in {1..120}; do
        mailhost queue --long --format json | grep -c '"queue":"\(place)".*"reason":"' | grep -qx 2 && exit 0
        sleep 0.5
      done
      mailhost queue --long; exit 1
      """)
  }

  @Test(arguments: Release.both)
  func mailThatCannotBeDeliveredIsHeldReleasedAndDeleted(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      // Mail of the scene's alone.
      try await scene.succeed("postsuper -d ALL >/dev/null 2>&1")
      #expect(try await scene.succeed("mailhost queue") == "nothing waits\n")
      for name in ["bob", "carol"] {
        try await scene.succeed(
          "printf 'Subject: lost\\n\\nlost\\n' | sendmail -f alice@example.org \(name)@unreachable.example")
      }
      try await Self.wait(scene, for: "deferred")
      let shown = try await scene.succeed("mailhost queue")
      #expect(shown.hasPrefix("2 mails wait (2 deferred), the oldest for "), "\(shown)")
      #expect(shown.contains("\nunreachable.example  2 mails, the oldest for "), "\(shown)")
      #expect(shown.split(separator: "\n").allSatisfy { $0.count < 80 }, "\(shown)")
      let deferred = try await Self.queue(scene)
      #expect(deferred.mails == 2 && deferred.queues["deferred"] == 2)
      #expect(deferred.groups.map(\.destination) == ["unreachable.example"])
      #expect(deferred.groups.first?.reason?.isEmpty == false)

      // The service counts with its probes.
      try await scene.succeed("mkdir -p /etc/mailboot/mailboot.toml.d")
      try await scene.host.put(
        "/etc/mailboot/mailboot.toml.d/90-scene.toml", Data("[monitoring]\nprobe-every = \"10s\"\n".utf8), mode: 0o644)
      try await scene.succeed("systemctl restart mailboot")
      try await scene.succeed(
        """
        for try in {1..90}; do mailboot status | grep -q '2 mails put off, the oldest for ' && exit 0; sleep 1; done
        mailboot status; exit 1
        """)
      #expect(
        try await scene.succeed("mailboot status --format prometheus").contains("\nmailboot_queue_deferred 2\n"))

      // Nobody is there to be asked.
      let unasked = try await scene.run("mailhost queue delete --all </dev/null")
      #expect(unasked.status == 64)
      #expect(unasked.stderr.contains("hint: `--yes` says it beforehand"), "\(unasked.stderr)")
      #expect(try await scene.run("runuser -u nobody -- mailhost queue delete --all --yes").status == 77)

      let held = try await scene.run("mailhost queue hold --deferred --yes")
      #expect(held.stdout == "2 mails put on hold\n", "\(held.stdout)\(held.stderr)")
      #expect(held.stderr.contains(" from alice@example.org to bob@unreachable.example\n"), "\(held.stderr)")
      #expect(try await Self.queue(scene).queues["hold"] == 2)
      let ids = try await scene.succeed(
        "mailhost queue --long --format json | sed -n 's/.*\"id\":\"\\([0-9A-Za-z]*\\)\".*/\\1/p'")
      let id = try #require(ids.split(separator: "\n").first)
      #expect(try await scene.run("mailhost queue hold \(id) --yes").stderr.contains("\(id) is on hold already"))
      #expect(try await scene.succeed("mailhost queue release --all --yes") == "2 mails released\n")
      try await Self.wait(scene, for: "deferred")

      #expect(try await scene.succeed("mailhost queue delete \(id) --yes") == "1 mail deleted\n")
      #expect(try await scene.run("mailhost queue delete \(id) --yes").stderr.contains("not in the queue: \(id)"))
      let flushed = try await scene.succeed("mailhost queue flush unreachable.example")
      #expect(flushed == "postfix tries 1 mail for unreachable.example\n")
      #expect(try await scene.succeed("mailhost queue delete --all --yes") == "1 mail deleted\n")
      #expect(try await scene.succeed("mailhost queue") == "nothing waits\n")
    }
  }

  @Test(arguments: Release.both)
  func aQueueThatNobodyCanSeeIsNoEmptyQueue(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.succeed("systemctl stop postfix; /usr/local/lib/mailboot-machine/await-stopped-postfix")
      let down = try await scene.run("runuser -u nobody -- mailhost queue")
      #expect(down.status == 1)
      #expect(down.stderr.contains("error: the queue cannot be listed: postfix does not run"), "\(down.stderr)")
      #expect(down.stderr.contains("hint: `mailboot status`"), "\(down.stderr)")
      // Root sees it without postfix.
      let root = try await scene.run("mailhost queue")
      #expect(root.status == 0, "\(root.stderr)")
      #expect(root.stderr == "note: postfix does not run: nothing is delivered\n")

      let paths = try await scene.succeed("mailhost paths --format json")
      #expect(paths.contains("\"open\": true") && !paths.contains("\"there\": null"), "\(paths)")
      try await scene.succeed("mailboot lock")
      let locked = try await scene.run("mailhost queue")
      #expect(locked.status == 13)
      #expect(locked.stderr.contains("error: /vault/postfix is in the vault, and the vault is locked"))
      #expect(locked.stdout.isEmpty)
      #expect(try await scene.succeed("mailhost paths --format json").contains("\"open\": false"))
      #expect(try await scene.succeed("mailhost paths").contains("locked now: what is in it cannot be saved"))
    }
  }
}
