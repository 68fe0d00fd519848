import MailbootCore
import Testing

/// The key first, then the rest, whatever fails.
struct EmergencySequenceTests {
  private final class Machine: EmergencyPort, ClockPort {
    var log: [String] = []
    var failing: [String: Failure] = [:]
    let name: String
    /// Where a further vault notes what is done to it.
    private let first: Machine?

    init(_ name: String = "vault-blk", of first: Machine? = nil) {
      self.name = name
      self.first = first
    }

    func monotonic() -> Double { Double(log.count) }
    func wall() -> Double { 0 }

    private func act(_ operation: String) throws(Failure) -> StepOutcome {
      if let first { first.log.append("\(operation) \(name)") } else { log.append(operation) }
      if let failure = failing[operation] { throw failure }
      return .changed
    }

    func revokeKey() throws(Failure) -> StepOutcome { try act("revoke") }
    func stopServices() throws(Failure) -> StepOutcome { try act("stop") }
    func endUsers() throws(Failure) -> StepOutcome { try act("end") }
    func unmountAll() throws(Failure) -> StepOutcome { try act("unmount") }
    func close() throws(Failure) -> StepOutcome { try act("close") }
  }

  private static let trouble = Failure.system("it hangs")

  private func lock(_ failing: [String]) -> (machine: Machine, run: EmergencySequence, failure: Failure?) {
    let machine = Machine()
    for operation in failing { machine.failing[operation] = Self.trouble }
    let run = EmergencySequence(configuration: Configuration(), machine: machine, clock: machine) { _ in }
    run.revoke()
    do throws(Failure) {
      try run.clear()
      return (machine, run, nil)
    } catch {
      return (machine, run, error)
    }
  }

  @Test(arguments: [[], ["revoke"], ["stop"], ["end"], ["unmount"], ["close"], ["revoke", "stop", "end", "unmount"]])
  func everyStepIsTriedWhateverFailedBefore(_ failing: [String]) {
    let (machine, run, _) = lock(failing)
    #expect(machine.log == ["revoke", "stop", "end", "unmount", "close"])
    #expect(run.steps.count { $0.outcome == .failed } == failing.count)
  }

  @Test(arguments: [["end"], ["unmount"], ["revoke"], ["end", "unmount"]])
  func closedIsLockedWhateverWasInTheWay(_ failing: [String]) {
    let (_, run, failure) = lock(failing)
    #expect(failure == nil)
    #expect(run.isKeyGone)
  }

  @Test func aVaultThatCannotBeClosedHasLostItsKeyAllTheSame() {
    let (_, run, failure) = lock(["close"])
    #expect(run.isKeyGone)
    #expect(failure == .emergency(of: Self.trouble, keyGone: true))
    #expect(failure?.summary == "the key is gone, but the vault could not be cleared: it hangs")
  }

  @Test func withNeitherRevokedNorClosedTheKeyMayStillBeThere() {
    let (_, run, failure) = lock(["revoke", "close"])
    #expect(!run.isKeyGone)
    #expect(failure?.summary == "the key may still be in memory: it hangs")
  }

  /// - Parameter failing: operations, with the name behind those on the second vault.
  private func lockTwo(_ failing: [String]) -> (machine: Machine, run: EmergencySequence, failure: Failure?) {
    let machine = Machine()
    let backup = Machine("backup", of: machine)
    for operation in failing {
      let words = operation.split(separator: " ").map(String.init)
      (words.count > 1 ? backup : machine).failing[words[0]] = Self.trouble
    }
    let run = EmergencySequence(
      configuration: Configuration(), machine: machine, others: [("/vault-backup", backup)], clock: machine
    ) { _ in }
    run.revoke()
    do throws(Failure) {
      try run.clear()
      return (machine, run, nil)
    } catch {
      return (machine, run, error)
    }
  }

  @Test(arguments: [
    [], ["revoke"], ["revoke backup"], ["stop"], ["end backup"], ["unmount backup"], ["close backup"], ["close"],
    ["revoke", "close backup"],
  ])
  func ofTwoVaultsAllKeysGoFirstAndEveryStepIsTried(_ failing: [String]) {
    let (machine, _, failure) = lockTwo(failing)
    #expect(
      machine.log == [
        "revoke", "revoke backup", "stop", "end backup", "unmount backup", "close backup", "end", "unmount", "close",
      ])
    #expect((failure == nil) == failing.allSatisfy { !$0.hasPrefix("close") && $0 != "stop" })
  }

  @Test(arguments: [
    (["close backup"], true), (["revoke backup", "close backup"], false), (["revoke", "close backup"], true),
    (["revoke", "revoke backup"], true), (["revoke", "close"], false),
  ])
  func aKeyIsGoneWhenItWasTakenAwayOrItsVaultClosed(_ failing: [String], _ isGone: Bool) {
    #expect(lockTwo(failing).run.isKeyGone == isGone)
  }

  @Test func aServiceThatStillRunsIsAFailure() {
    let (_, _, failure) = lock(["stop"])
    #expect(failure == .emergency(of: Self.trouble, keyGone: true))
  }
}
