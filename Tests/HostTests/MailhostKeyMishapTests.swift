import Foundation
import MachineKit
import SceneSupport
import Testing

/// What goes wrong while keys are replaced: after each the mail of the domain carries a signature that the world can verify, and
/// the next call goes on.
@Suite(.serialized)
struct MailhostKeyMishapTests {
  @Test(arguments: Release.both)
  func whateverGoesWrongMailIsSignedWithAKeyThatIsShown(_ release: Release) async throws {
    try await KeyWorld.with(release) { world in
      let verifiers = MailVerifiers(host: world.names.host)
      try await verifiers.follow()
      var letters = Letters(world: world)
      try await kills(world, &letters)
      // From here on a person publishes: what is waited for is what the scene does.
      try await world.scene.own(KeyWorld.transport + "[dns]\npublish = \"paste\"")
      try await fullDisk(world, &letters)
      try await lostKeys(world, &letters)
      try await nameServersThatDoNotTell(world, &letters)
      try await theUnit(world, &letters)
      let verdicts = try await letters.verdicts(verifiers)
      let bad = verdicts.filter { !$0.isGood }
      #expect(bad.isEmpty, "\(bad)\(letters.moments)")
      #expect(Set(verdicts.map(\.verifier)) == ["dkimpy", "Mail::DKIM"])
    }
  }

  // MARK: Killed

  private func kills(_ world: KeyWorld, _ letters: inout Letters) async throws {
    var killed = 0
    var said = ""
    // A whole call takes some seconds.
    for seconds in [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 9, 15, 30] {
      let step = try await world.scene.run("timeout -s KILL \(seconds) mailhost dkim rotate example.org")
      said += step.stdout + step.stderr
      try await letters.send("killed after \(seconds) s")
      let status = try await world.scene.run("mailhost dkim status example.org")
      #expect(status.status == 0, "after \(seconds) s: \(status.stdout)\(status.stderr)")
      if step.status == 137 { killed += 1 } else if said.contains("202001") { break }
    }
    #expect(killed >= 3, "\(said)")
    let status = try await world.status()
    #expect(status.signing != ["202001"] && status.state("202001") == "retiring", "\(status)\(said)")
  }

  // MARK: Full

  private func fullDisk(_ world: KeyWorld, _ letters: inout Letters) async throws {
    let before = try await world.status()
    try await world.scene.succeed(
      """
      set -e
      cp -a /vault/dkim /root/dkim
      mount -t tmpfs -o size=128k,mode=0750,uid=$(id -u _rspamd),gid=$(id -g _rspamd) tmpfs /vault/dkim
      cp -a /root/dkim/. /vault/dkim
      """)
    let filled = "head -c 1M /dev/zero >/vault/dkim/filler"
    _ = try await world.scene.run(filled)
    let refused = try await world.scene.run("mailhost dkim rotate --again example.org")
    #expect(refused.status == 1 && refused.stderr.contains("No space left"), "\(refused.stdout)\(refused.stderr)")
    try await letters.send("no room for a key")
    #expect(try await world.status().signing == before.signing)
    try await world.scene.succeed("rm /vault/dkim/filler")
    // The next key is there and shown; its switch finds no room.
    _ = try await world.scene.run("mailhost dkim rotate --again example.org")
    let next = try #require(try await world.status().waiting.first)
    try await world.publish(next)
    _ = try await world.scene.run(filled)
    let late = try await world.scene.run("mailhost dkim rotate --again example.org")
    #expect(late.status == 1 && late.stderr.contains("No space left"), "\(late.stdout)\(late.stderr)")
    try await letters.send("no room for the switch")
    try await world.scene.succeed("rm /vault/dkim/filler")
    let end = try await world.scene.run("mailhost dkim rotate --again example.org")
    #expect(end.stdout.contains("\(next.selector) signs now"), "\(end.stdout)\(end.stderr)")
    try await letters.send("room again")
    try await world.scene.succeed(
      "rm -rf /root/dkim && cp -a /vault/dkim /root/dkim && umount /vault/dkim && rm -f /vault/dkim/* && cp -a /root/dkim/. /vault/dkim"
    )
    #expect(try await world.status().signing == [next.selector])
  }

  // MARK: Lost

  private func lostKeys(_ world: KeyWorld, _ letters: inout Letters) async throws {
    let active = try #require(try await world.status().signing.first)
    // One that waits: another is made.
    _ = try await world.scene.run("mailhost dkim rotate --again example.org")
    let lost = try #require(try await world.status().waiting.first)
    try await world.scene.succeed("rm /vault/dkim/example.org.\(lost.selector).key")
    let again = try await world.scene.run("mailhost dkim rotate --again example.org")
    #expect(again.stdout.contains("made the key"), "\(again.stdout)\(again.stderr)")
    #expect(try await world.status().signing == [active])
    try await letters.send("the next key lost")
    // One that has had its time.
    try await world.scene.succeed("rm /vault/dkim/example.org.202001.key")
    let retired = try await world.scene.run("mailhost dkim rotate --due example.org")
    #expect([0, 2].contains(retired.status), "\(retired.stdout)\(retired.stderr)")
    try await letters.send("a retiring key lost")
    // One that signs, unreadable for rspamd, then gone: one that the world knows takes over.
    try await world.scene.succeed(
      "chown root: /vault/dkim/example.org.\(active).key && chmod 600 /vault/dkim/example.org.\(active).key")
    let status = try await world.scene.run("mailhost dkim status example.org")
    #expect(status.status == 1 && status.stdout.contains(active), "\(status.stdout)\(status.stderr)")
    let unreadable = try await world.scene.run("mailhost dkim rotate --due example.org")
    #expect(
      unreadable.stdout.contains("the key \(active), which is to sign"), "\(unreadable.stdout)\(unreadable.stderr)")
    #expect(unreadable.stdout.contains("signs now in place of \(active)"), "\(unreadable.stdout)\(unreadable.stderr)")
    try await letters.send("the key that signed unreadable")
    let second = try #require(try await world.status().signing.first)
    #expect(second != active)
    try await world.scene.succeed(
      "chown _rspamd: /vault/dkim/example.org.\(active).key && rm /vault/dkim/example.org.\(second).key")
    let gone = try await world.scene.run("mailhost dkim rotate --due example.org")
    #expect(gone.stdout.contains("signs now in place of \(second)"), "\(gone.stdout)\(gone.stderr)")
    try await letters.send("the key that signed lost")
    // Its record is shown still, and mail that it signed may be on its way: no other key gets its name.
    _ = try await world.scene.run("mailhost dkim rotate --again example.org")
    let next = try #require(try await world.status().waiting.first)
    #expect(![second, "202001"].contains(next.selector))
  }

  // MARK: Name servers

  private func nameServersThatDoNotTell(_ world: KeyWorld, _ letters: inout Letters) async throws {
    let signing = try await world.status().signing
    _ = try await world.scene.run("mailhost dkim rotate --again example.org")
    let next = try #require(try await world.status().waiting.first)
    func expectNoSwitch(_ what: String, names: String) async throws {
      let step = try await world.scene.run("mailhost dkim rotate --again example.org")
      #expect(!step.stdout.contains("signs now"), "\(what): \(step.stdout)")
      #expect((step.stdout + step.stderr).contains(names), "\(what): \(step.stdout)\(step.stderr)")
      #expect(try await world.status().signing == signing, "\(what)")
      try await letters.send(what)
    }
    let resolver = "echo nameserver"
    // A secondary that shows another key there.
    try await world.publish(next)
    let lie = "\(next.name). TXT \\\"v=DKIM1; k=rsa; p=AAAA\\\""
    try await world.names.host.succeed(
      """
      set -e
      systemctl stop knot-secondary
      sed 's/  - domain: example.org/&\\n    file: \\/root\\/lie.zone/; /master: primary/d' /root/secondary.conf >/root/lying.conf
      kdig +noall +answer @192.0.2.2 AXFR example.org | grep -v 'RRSIG\\|NSEC\\|\(next.selector)\\|DNSKEY' >/root/lie.zone
      echo "\(lie)" >>/root/lie.zone
      systemd-run --quiet --unit knot-lying knotd -c /root/lying.conf
      for i in {1..50}; do kdig +short @192.0.2.3 TXT \(next.name) | grep -q AAAA && exit 0; sleep 0.1; done; exit 1
      """)
    try await expectNoSwitch("another key at the secondary", names: "ns2.example.org (192.0.2.3) shows another key")
    try await world.names.host.succeed("systemctl stop knot-lying")
    try await expectNoSwitch("a dead secondary", names: "ns2.example.org (192.0.2.3)")
    try await world.names.host.succeed("systemd-run --quiet --unit knot-secondary knotd -c /root/secondary.conf")
    // A resolver for which the zone is bogus, one that is not there, none at all.
    try await world.scene.succeed("\(resolver) \(NameServers.distrustingResolver) >/etc/resolv.conf")
    try await expectNoSwitch("a bogus zone", names: NameServers.distrustingResolver)
    try await world.scene.succeed("\(resolver) 192.0.2.2 >/etc/resolv.conf; ip link set lan0 down")
    try await expectNoSwitch("no network", names: "192.0.2.2")
    try await world.scene.succeed(
      "ip link set lan0 up; \(resolver) \(NameServers.resolver) >/etc/resolv.conf; postqueue -f")
    let end = try await world.rotate("--again example.org") { $0.contains("signs now") }
    #expect(end.contains("\(next.selector) signs now"), "\(end)")
    try await letters.send("all is well")
  }

  // MARK: The unit

  private func theUnit(_ world: KeyWorld, _ letters: inout Letters) async throws {
    let scene = world.scene
    #expect(try await scene.run("systemctl is-enabled mailhost-rotate.timer").stdout == "disabled\n")
    let search = "doveadm search -u alice@example.org mailbox INBOX subject 'something for you to do' | wc -l"
    func mails() async throws -> String { try await scene.succeed("sleep 2; postqueue -f; \(search)") }
    @discardableResult
    func start() async throws -> String {
      let step = try await scene.run("systemctl start mailhost-rotate.service")
      let log = try await scene.succeed("journalctl --no-pager -o cat -u mailhost-rotate.service -n 30")
      #expect(step.status == 0, "\(step.stderr)\(log)")
      return log
    }
    try await scene.succeed("touch -d '-3 years' /vault/dkim/*.key; rm -f /var/lib/mailhost/persons-turn")
    try await start()
    let made = try #require(try await world.status().waiting.first)
    #expect(try await mails() == "1\n")
    let body = try await scene.succeed(
      "doveadm fetch -u alice@example.org text mailbox INBOX subject 'something for you to do'")
    #expect(body.contains(made.name), "\(body)")
    // The next day, and a week later.
    for (days, count) in [(1, "1\n"), (8, "2\n")] {
      try await scene.succeed(
        "sed -i \"1s/.*/$(date -u -d '-\(days) days' +%Y-%m-%dT%H:%M:%SZ)/\" /var/lib/mailhost/persons-turn")
      try await start()
      #expect(try await mails() == count, "after \(days) days")
    }
    try await world.publish(made)
    let log = try await start()
    #expect(try await world.status().signing == [made.selector], "\(log)")
    try await letters.send("by the unit")
    try await scene.succeed("systemctl enable --now mailhost-rotate.timer")
    let next = try await scene.succeed("systemctl show -P NextElapseUSecRealtime mailhost-rotate.timer")
    #expect(next.contains(" 05:"), "\(next)")
    #expect(
      try await scene.succeed("systemctl list-timers --no-pager mailhost-rotate.timer").contains(
        "mailhost-rotate.service"))
  }
}

/// Mails of example.org at moments of a scene.
private struct Letters {
  let world: KeyWorld
  var moments: [String] = []

  init(world: KeyWorld) { self.world = world }

  mutating func send(_ moment: String) async throws {
    try await world.scene.succeed(
      """
      printf 'From: alice@example.org\\nTo: dave@other.example.com\\nSubject: \(moments.count)\\n\\nWhen: \(moment)\\n' |
        sendmail -f alice@example.org dave@other.example.com
      """)
    moments.append(moment)
  }

  /// What is said of all of them.
  func verdicts(_ verifiers: MailVerifiers) async throws -> [MailVerifiers.Verdict] {
    for _ in 0..<60 {
      let verdicts = try await verifiers.followed()
      if Set(verdicts.map { "\($0.verifier) \($0.mail)" }).count == 2 * moments.count { return verdicts }
      try await Task.sleep(for: .seconds(0.5))
    }
    Issue.record("not all of \(moments.count) letters came")
    return try await verifiers.followed()
  }
}
