import MailbootCore
import Testing

/// The key first, then the rest, whatever fails.
struct EmergencySequenceTests {
  private final class Machine: EmergencyPort, ClockPort {
    var log: [String] = []
    var failing: [String: Failure] = [:]
    let name = "vault-blk"

    func monotonic() -> Double { Double(log.count) }
    func wall() -> Double { 0 }

    private func act(_ operation: String) throws(Failure) -> StepOutcome {
      log.append(operation)
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

  @Test func aServiceThatStillRunsIsAFailure() {
    let (_, _, failure) = lock(["stop"])
    #expect(failure == .emergency(of: Self.trouble, keyGone: true))
  }
}
