import JSON
import Testing
import Text

@testable import MailbootCore

@Suite struct HistoryTests {
  private static let boot = "11111111-2222-3333-4444-555555555555"
  private static let steps = [
    StepRecord(name: "open", outcome: .changed, seconds: 2, began: 0),
    StepRecord(name: "check database", outcome: .failed, seconds: 1, began: 2),
  ]
  private static let alice = JournalEvent.Actor(by: "alice", via: .agent)
  private static let run = JournalEvent.Run(seconds: 10, steps: steps)
  /// Each boot began at this time.
  private static let bootedAt = 1_000_000.0

  /// Entries as the journal has them of these events, by their seconds since the boot.
  private func entries(_ events: [(Double, JournalEvent)], boot: String = boot) -> [HistoryEntry] {
    events.map { second, event in
      HistoryEntry(
        kind: event.kind, at: Self.bootedAt + second, sinceBoot: second, bootID: boot,
        fields: Dictionary(uniqueKeysWithValues: event.fields))
    }
  }

  private func history(_ events: [(Double, JournalEvent)]) -> History { History(entries(events)) }

  @Test func nothingRecordedIsAnEmptyHistory() {
    #expect(History([]).boots.isEmpty)
    #expect(History([]).lastUnlock == nil)
  }

  @Test func anUnlockSaysWhoHowLongAndHowLongItWasLocked() throws {
    let history = history([
      (20, .waiting(since: 0)), (3600, .unlockBegun(Self.alice)), (3610, .unlockFinished(Self.alice, Self.run)),
    ])
    let boot = try #require(history.boots.first)
    #expect(boot.at == Self.bootedAt)
    #expect(boot.id == Self.boot)
    let run = try #require(boot.runs.first)
    #expect(boot.runs.count == 1)
    #expect(run.verb == .unlock && run.outcome == .done && run.by == "alice" && run.via == .agent)
    #expect(run.at == Self.bootedAt + 3600)
    #expect(run.seconds == 10)
    #expect(run.locked == 3610)
    #expect(run.steps == Self.steps)
    #expect(history.lastUnlock == run)
  }

  @Test func refusedPassphrasesBelongToTheUnlockThatFollows() {
    let refusal = JournalEvent.passphraseRefused(Self.alice, count: 1, delay: nil)
    let history = history([
      (1, .unlockBegun(Self.alice)), (2, refusal), (3, .unlockBegun(Self.alice)), (4, refusal),
      (5, .unlockBegun(Self.alice)), (6, .unlockFinished(Self.alice, Self.run)),
      (7, .lockBegun(by: "root", emergency: false)),
      (8, .lockFinished(by: "root", emergency: false, Self.run)), (9, .unlockBegun(Self.alice)), (10, refusal),
    ])
    #expect(history.boots.first?.runs.map(\.verb) == [.unlock, .lock])
    #expect(history.boots.first?.runs.map(\.refused) == [2, 0])
    #expect(history.boots.first?.refused == 1)
  }

  @Test func lockedCountsFromTheLastLock() {
    let history = history([
      (100, .unlockFinished(Self.alice, Self.run)), (200, .lockFinished(by: "root", emergency: false, Self.run)),
      (260, .unlockFinished(Self.alice, Self.run)), (300, .unlockFinished(Self.alice, Self.run)),
    ])
    // Before the last one somebody must have closed the vault by hand.
    #expect(history.boots.first?.runs.map(\.locked) == [100, nil, 60, nil])
  }

  @Test func aFailureSaysWhereAndWhyAndTheVaultStaysLocked() throws {
    let failure = Failure.mount(.notEmpty(["spool"]), path: "/vault")
    let history = history([
      (10, .unlockBegun(Self.alice)), (20, .unlockFailed(Self.alice, Self.run, failure)),
      (50, .unlockFinished(Self.alice, Self.run)),
    ])
    let runs = try #require(history.boots.first?.runs)
    #expect(runs.map(\.outcome) == [.failed, .done])
    #expect(runs[0].failedStep == "check database")
    #expect(runs[0].code == 12)
    #expect(runs[0].reason == failure.summary)
    #expect(runs.map(\.locked) == [nil, 50])
  }

  @Test func aRunWithoutAnEndIsUnfinished() {
    let history = history([
      (10, .unlockBegun(Self.alice)), (20, .lockBegun(by: "root", emergency: true)),
      (21, .keyRevoked(by: "root", seconds: 0.5)), (22, .lockFinished(by: "root", emergency: true, Self.run)),
      (30, .unlockBegun(Self.alice)),
    ])
    let runs = history.boots.first?.runs ?? []
    #expect(runs.map(\.outcome) == [.unfinished, .done, .unfinished])
    #expect(runs.map(\.keyGone) == [nil, 0.5, nil])
    #expect(runs.map(\.emergency) == [false, true, false])
    #expect(history.lastUnlock == nil)
  }

  @Test func aRunThatFoundTheVaultOpenUnlockedNothing() {
    let nobody = JournalEvent.Actor(by: "root", via: .none)
    let run = history([(10, .unlockFinished(nobody, Self.run))]).boots.first?.runs.first
    #expect(run?.via == nil)
    #expect(run?.locked == nil)
    #expect(run?.by == "root")
  }

  @Test func bootsAreKeptApart() {
    let first = entries([(10, .unlockBegun(Self.alice))], boot: "a")
    let second = entries([(5, .waiting(since: 0))], boot: "b")
    let third = entries([(7, .unlockFinished(Self.alice, Self.run))], boot: "c")
    let history = History(first + second + third)
    #expect(history.boots.map(\.id) == ["a", "b", "c"])
    #expect(history.boots.map { $0.runs.map(\.outcome) } == [[.unfinished], [], [.done]])
    #expect(history.newest(2).boots.map(\.id) == ["b", "c"])
    #expect(history.newest(9) == history)
  }

  @Test func entriesThatLackFieldsAreStillShown() {
    let bare = HistoryEntry(
      kind: .unlockFinished, at: 100, sinceBoot: 10, bootID: "a",
      fields: ["MAILBOOT_STEPS": "[{", "MAILBOOT_SECONDS": "soon", "MAILBOOT_VIA": "telepathy"])
    let run = History([bare]).boots.first?.runs.first
    #expect(run?.outcome == .done)
    #expect(run?.seconds == nil)
    #expect(run?.steps == [])
  }

  @Test func theJSONHasEveryFieldOfEachRun() throws {
    let history = history([(3610, .unlockFinished(Self.alice, Self.run))])
    let json = try #require(JSONText(parsing: Array(history.json().rendered().utf8)))
    let boot = try #require(json["boots"]?.items?.first)
    #expect(json["schema"]?.number == 1)
    #expect(boot["boot_id"]?.text == Self.boot)
    #expect(boot["at"]?.text == timestamp(Self.bootedAt))
    let run = try #require(boot["runs"]?.items?.first?.members)
    #expect(
      run.map(\.0) == [
        "verb", "outcome", "at", "by", "via", "emergency", "seconds", "locked_seconds", "key_gone_seconds", "refused",
        "failed_step", "code", "reason", "steps",
      ])
    #expect(run.first { $0.0 == "locked_seconds" }?.1.number == 3610)
    #expect(run.first { $0.0 == "key_gone_seconds" }?.1 == .null)
  }
}
