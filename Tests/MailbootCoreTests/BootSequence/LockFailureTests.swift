import MailbootCore
import Testing

/// What becomes of the machine when a step of a lock fails.
struct LockFailureTests {
  static let busy = Failure.mount(.busy("target is busy"), path: "/vault")
  static let late = Failure.service(name: "dovecot", .notStopped(unit: "dovecot.service", result: "no end after 90 s"))
  static let held = Failure.vault(VaultFailure(.busy, "held"), device: "vault-blk")

  /// An operation that fails, and the exit code.
  static let cases: [(operation: String, failure: Failure, code: ExitCode)] = [
    ("look", .system("/proc is not mounted"), .failure),
    ("stop postfix", .noBus("gone"), .failure), ("stop dovecot", late, .service),
    ("stop rspamd", late, .service), ("stop redis-server", late, .service), ("unbind 1", busy, .stillInUse),
    ("unbind 0", busy, .stillInUse), ("unmount", busy, .stillInUse), ("close", held, .stillInUse),
    ("close", .system("mailboot-worker was ended by signal 9"), .failure),
  ]

  @Test(arguments: cases)
  func aFailedStepBringsEverythingBack(_ example: (operation: String, failure: Failure, code: ExitCode)) {
    let lock = SimulatedLock { $0.failing[example.operation] = example.failure }
    #expect(lock.failure?.exitCode == example.code)
    if case .rollback = lock.failure { Issue.record("\(lock.failure!)") }
    #expect(lock.machine.state == SimulatedLock.ready)
    #expect(lock.run.steps.last?.outcome == .failed)
    let stopped = lock.machine.log.count { $0.hasPrefix("stop ") }
    #expect(lock.progress.contains(.undoing) == (stopped > 0))
  }

  @Test func theServicesComeBackInTheOrderOfTheirStart() {
    let lock = SimulatedLock { $0.failing["unmount"] = Self.busy }
    let back = lock.machine.log.drop { $0 != "bind 0" }
    #expect(
      back.filter { !$0.hasPrefix("ready") } == [
        "bind 0", "bind 1", "start redis-server", "start rspamd", "start dovecot", "start postfix",
      ])
    // Each answers before the next one starts: the door is the last again.
    #expect(back.last == "ready postfix")
    #expect(
      lock.progress.suffix(2) == [.undone("start dovecot", trouble: nil), .undone("start postfix", trouble: nil)])
  }

  @Test func whatDidNotRunBeforeIsNotStarted() {
    let lock = SimulatedLock {
      $0.foundOpen(mounted: true, binds: [0], running: ["dovecot"])
      $0.failing["close"] = Self.held
    }
    #expect(lock.machine.state == .init(open: true, mounted: true, binds: [0], running: ["dovecot"]))
  }

  @Test func whoeverStillUsesTheVaultIsNamed() {
    let lock = SimulatedLock { machine in
      machine.afterwards = { if $0 == "stop redis-server" { machine.visitors = [.example(900, "vim")] } }
    }
    #expect(lock.failure == .inUse(VaultUse(holders: [.example(900, "vim")]), stopped: true))
    #expect(lock.machine.state == SimulatedLock.ready)
    #expect(
      lock.failure?.summary == "the vault is in use even without its services: 1 process")
  }

  @Test func withKillWhoeverCameMeanwhileIsEnded() {
    let lock = SimulatedLock(kill: true) { machine in
      machine.afterwards = { if $0 == "stop redis-server" { machine.visitors = [.example(900, "vim")] } }
    }
    #expect(lock.failure == nil)
    #expect(lock.machine.position("end 900") != nil)
    #expect(lock.machine.state == .init())
  }

  @Test func aUseThatNobodySeesIsSaidInTheKernelsWords() {
    let lock = SimulatedLock { $0.failing["unmount"] = Self.busy }
    #expect(lock.failure == .inUse(VaultUse(obstacles: [.unseen("target is busy")]), stopped: true))
  }

  @Test func theDoorStaysShutWhenAServiceBeforeItDoesNotComeBack() {
    let lock = SimulatedLock {
      $0.failing["unmount"] = Self.busy
      $0.serviceFailures["rspamd"] = .notStarted(unit: "rspamd.service", result: "failed", journal: [])
    }
    guard case .rollback(.inUse, let trouble)? = lock.failure else {
      Issue.record("\(String(describing: lock.failure))")
      return
    }
    #expect(
      trouble == [
        "start rspamd: rspamd did not start: rspamd.service: failed", "postfix stays stopped: it waits for rspamd",
      ])
    #expect(lock.failure?.exitCode == .stillInUse)
    #expect(lock.machine.state.running == ["redis-server", "dovecot"])
  }

  @Test func whatWaitsForAServiceThatDoesNotComeBackStaysStoppedToo() {
    let lock = SimulatedLock {
      $0.failing["unmount"] = Self.busy
      $0.serviceFailures["redis-server"] = .notStarted(unit: "redis-server.service", result: "failed", journal: [])
    }
    #expect(lock.machine.state.running == ["dovecot"])
  }

  @Test(arguments: 0..<4)
  func interruptedItStaysWhereItIsAndSaysWhereThatIs(_ call: Int) throws {
    let lock = SimulatedLock { $0.interruptedCall = call }
    #expect(lock.failure == SimulatedMachine.interrupt)
    #expect(lock.failure?.exitCode == .interrupted)
    #expect(!lock.progress.contains(.undoing))
    #expect(lock.machine.state.running.count == 4 - call)
    let note = try #require(lock.notes.first)
    let order = ["postfix", "dovecot", "rspamd", "redis-server"]
    #expect(note.contains("interrupted at: stop \(order[call])"))
    #expect(note.contains(call == 0 ? "nothing was changed" : "done so far: stop postfix"))
    #expect(note.contains("the vault is still open"))
  }
}
