import Foundation
import MailbootCore
import Synchronization
import TestSupport
import Testing

@testable import MailbootHost

/// `/run/mailboot` somewhere else: what is kept there.
struct RuntimeDirectoryTests {
  private func record(_ boot: String = "boot", checks: Int = 1) -> LastResults {
    var record = LastResults(bootID: boot)
    record.checks = (0..<checks).map {
      CheckRecord(name: .database, result: .warn, detail: "detail \($0) \"ü\"", hint: nil, at: 1.5)
    }
    record.probes = ["postfix": ProbeRecord(answered: true, detail: "220 mail", at: 2)]
    record.lastUnlock = UnlockRecord(
      at: 3, by: "root", via: .keyFile, seconds: 4.25,
      steps: [StepRecord(name: "open", outcome: .failed, seconds: 1, began: 0.5)])
    record.busy = BusyRecord(pid: 42, verb: "unlock", by: "root", phase: .mounting, since: 5)
    record.lockedSince = 6
    record.attempts = AttemptCount(accepted: 1, refused: 7)
    return record
  }

  private func mode(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  @Test func aRecordReadsBackAsItWasStored() throws {
    let place = try TemporaryDirectory()
    let directory = RuntimeDirectory(path: place.file("mailboot"))
    #expect(directory.record() == nil)
    try directory.store(record())
    #expect(directory.record() == record())
    #expect(try mode(directory.path) == 0o755)
    #expect(try mode(directory.path + "/state.json") == 0o644)
  }

  @Test func aRecordReplacesTheOneBeforeAndLeavesNothingBeside() throws {
    let place = try TemporaryDirectory()
    let directory = RuntimeDirectory(path: place.path)
    try directory.store(record("first", checks: 100))
    try directory.store(record("second"))
    #expect(directory.record()?.bootID == "second")
    #expect(try place.names() == ["state.json"])
  }

  @Test func whatAKilledRunWasWritingGoesWithTheNextRun() throws {
    let place = try TemporaryDirectory()
    let directory = RuntimeDirectory(path: place.path)
    // No process has a number beyond the kernel's largest. Of another run that goes on nothing is taken away.
    try place.write("state.json.4194305.new", "half")
    try place.write("state.json.\(getppid()).new", "half")
    try directory.withLock { () throws(Failure) in }
    #expect(try place.names() == ["lock", "state.json.\(getppid()).new"])
  }

  @Test func twoProcessesThatWriteAtOnceDoNotRenameEachOthersHalves() throws {
    let place = try TemporaryDirectory()
    let directory = RuntimeDirectory(path: place.path)
    try place.write("state.json.\(getppid()).new", "half")
    try directory.store(record("whole"))
    #expect(directory.record()?.bootID == "whole")
    #expect(try place.names().contains("state.json.\(getppid()).new"))
  }

  @Test func aReaderSeesEitherRecordWholeWhileTheyChange() throws {
    let place = try TemporaryDirectory()
    let directory = RuntimeDirectory(path: place.path)
    let short = record("short")
    let long = record("long", checks: 300)
    try directory.store(short)
    let finished = Mutex(false)
    Thread.detachNewThread {
      for number in 0..<300 { try? directory.store(number % 2 == 0 ? long : short) }
      finished.withLock { $0 = true }
    }
    var seen: Set<String> = []
    let deadline = Reactor.monotonic() + 60
    while !finished.withLock({ $0 }), Reactor.monotonic() < deadline {
      let found = try #require(directory.record())
      try #require(found == short || found == long)
      seen.insert(found.bootID)
    }
    #expect(seen == ["short", "long"])
  }

  @Test func aRecordWithoutAttemptsOrWithImpossibleOnesCountsNone() throws {
    let place = try TemporaryDirectory()
    for attempts in ["", ", \"attempts\": {\"accepted\": 1, \"refused\": -1}", ", \"attempts\": 3"] {
      try place.write("state.json", "{\"boot_id\": \"boot\"\(attempts)}")
      #expect(try #require(RuntimeDirectory(path: place.path).record()).attempts == AttemptCount())
    }
  }

  @Test(arguments: ["", "{", "null", "{\"bootID\": 3}", "\u{0}\u{0}"])
  func aDamagedRecordIsNone(_ text: String) throws {
    let place = try TemporaryDirectory()
    try place.write("state.json", text)
    #expect(RuntimeDirectory(path: place.path).record() == nil)
  }

  @Test func aSymbolicLinkIsNotFollowed() throws {
    let place = try TemporaryDirectory()
    let elsewhere = try TemporaryDirectory()
    let target = RuntimeDirectory(path: elsewhere.path)
    try target.store(record())
    let link = place.file("state.json")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: elsewhere.file("state.json"))
    let directory = RuntimeDirectory(path: place.path)
    #expect(directory.record() == nil)
    // Storing replaces the link, not what it points to.
    try directory.store(record("new"))
    #expect(directory.record()?.bootID == "new")
    #expect(target.record()?.bootID == "boot")
  }

  @Test func aDirectoryThatOthersMayWriteToIsRefused() throws {
    let place = try TemporaryDirectory()
    for mode in [0o777, 0o775, 0o1777] as [mode_t] {
      chmod(place.path, mode)
      let failure = #expect(throws: Failure.self) { try RuntimeDirectory(path: place.path).store(record()) }
      #expect(failure?.exitCode == .failure)
      #expect(failure?.summary.contains(place.path) == true)
      #expect(throws: Failure.self) { try RuntimeDirectory(path: place.path).withLock {} }
    }
    #expect(try place.names().isEmpty)
  }

  @Test func aFileOrALinkInItsPlaceIsRefused() throws {
    let place = try TemporaryDirectory()
    let file = try place.write("file", "")
    let link = place.file("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: place.path)
    for path in [file, link] {
      #expect(throws: Failure.self) { try RuntimeDirectory(path: path).store(record()) }
    }
    #expect(try place.names() == ["file", "link"])
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a directory away"))
  func aDirectoryOfSomebodyElseIsRefused() throws {
    let place = try TemporaryDirectory()
    try #require(chown(place.path, 65534, 65534) == 0)
    #expect(throws: Failure.self) { try RuntimeDirectory(path: place.path).store(record()) }
    #expect(try place.names().isEmpty)
  }
}
