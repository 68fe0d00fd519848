import MailHost
import TestSupport
import Testing

private func mail(_ id: String, _ place: QueuedMail.Place) -> QueuedMail {
  QueuedMail(id: id, place: place, arrived: 0, size: 0, sender: "", recipients: [])
}

/// Which mails are meant, and what postfix says of them.
struct QueueActionTests {
  private let mails = QueuedMail.Place.allCases.map { mail($0.rawValue, $0) }

  private func taken(_ action: QueueAction, _ selection: QueueAction.Selection) -> [String] {
    mails.filter { action.takes($0, selection) }.map(\.id)
  }

  @Test func allIsWhatTheActionCanBeDoneWith() {
    #expect(taken(.hold, .all) == ["incoming", "active", "deferred"])
    #expect(taken(.release, .all) == ["hold"])
    #expect(taken(.delete, .all) == ["incoming", "active", "deferred", "hold"])
    #expect(taken(.delete, .deferred) == ["deferred"])
    #expect(taken(.hold, .ids(["hold", "active"])) == ["active", "hold"])
  }

  @Test func whatIsHeldIsNotHeldAgain() {
    #expect(QueueAction.hold.refusal(of: mail("A1", .hold)) == "A1 is on hold already")
    #expect(QueueAction.release.refusal(of: mail("A1", .deferred)) == "A1 is not on hold")
    #expect(QueueAction.release.refusal(of: mail("A1", .hold)) == nil)
    #expect(QueueAction.delete.refusal(of: mail("A1", .hold)) == nil)
    #expect(QueueAction.delete.refusal(of: mail("A1", .maildrop)) == "A1 is not in the queue yet")
  }

  @Test func postfixSaysHowManyItWere() {
    #expect(QueueAction.delete.count(inReport: "postsuper: A1: removed\npostsuper: Deleted: 1 message\n") == 1)
    #expect(QueueAction.hold.count(inReport: "postsuper: A1: held\npostsuper: Placed on hold: 2 messages\n") == 2)
    #expect(QueueAction.release.count(inReport: "postsuper: Released from hold: 3 messages\n") == 3)
    #expect(QueueAction.delete.count(inReport: "postsuper: Placed on hold: 12 messages\n") == nil)
    #expect(QueueAction.delete.count(inReport: "") == nil)
  }
}

/// Calls that end before there is anything to be done.
struct QueueCallTests {
  @Test(
    arguments: [
      (["queue", "delete"], "which mail?"), (["queue", "hold", "A1", "--all", "--yes"], "either mails by their names"),
      (["queue", "release", "--deferred", "--yes"], "what is on hold is not deferred"),
      (["queue", "delete", "ALL", "--yes"], "ALL is no queue id"),
      (["queue", "delete", "A1;B2", "--yes"], "A1;B2 is no queue id"),
      (["queue", "delete", "A1"], "there is no terminal to ask at whether to delete it"),
      (["queue", "--root", "/nowhere"], "--root: only the queue"),
    ])
  func wrongCallsAreRefused(_ words: [String], _ complaint: String) throws {
    let call = try MailhostRun(words)
    #expect(call.status == 64)
    #expect(call.complaint.contains(complaint), "\(call.complaint)")
    #expect(call.output.isEmpty)
  }

  @Test(arguments: [[], ["show"], ["flush"], ["--long", "--format", "json"], ["flush", "one.example"]])
  func aLockedVaultIsNoEmptyQueue(_ words: [String]) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("mailhost.toml", neededSettings + "vault = \"/no-such-vault\"\n")
    let call = try MailhostRun(["queue"] + words + ["--config", file])
    #expect(call.status == 13)
    let what = "/no-such-vault/postfix is in the vault, and the vault is locked"
    #expect(call.complaint.contains(what), "\(call.complaint)")
    #expect(call.complaint.contains("hint: `mailboot` unlocks it"))
    #expect(call.output.isEmpty)
  }

  @Test(arguments: ["-x", "a b", "\u{1b}[2J", "@one.example"])
  func whatIsNoDomainIsNotGivenToPostfix(_ word: String) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("mailhost.toml", neededSettings + "vault_type = \"none\"\n")
    let call = try MailhostRun(["queue", "flush", "--config", file, "--", word])
    // Or postfix is not installed here.
    #expect([1, 64].contains(call.status))
    #expect(!call.complaint.contains("\u{1b}"))
  }
}
