import MailbootCore
import Testing

/// Ctrl-C at every point at which the run waits for something.
struct InterruptionTests {
  /// open, mount, two binds, nine checks, four services.
  static let waits = 0..<17

  @Test(arguments: waits)
  func anInterruptedRunIsTakenBackToLocked(_ call: Int) throws {
    let machine = SimulatedMachine(configurationWithBinds())
    machine.interruptedCall = call
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == SimulatedMachine.interrupt)
    #expect(unlock.failure?.exitCode == .interrupted)
    #expect(machine.state == .init())
  }

  @Test func thereIsNoOtherPointOfWaiting() throws {
    let machine = SimulatedMachine(configurationWithBinds())
    _ = try SimulatedUnlock(machine)
    #expect(machine.blockingCalls == Self.waits.upperBound)
  }

  @Test(arguments: 4..<17)
  func withOnFailureLeaveAnInterruptedRunStaysWhereItIs(_ call: Int) throws {
    var configuration = configurationWithBinds()
    configuration.unlock.onFailure = .leave
    let machine = SimulatedMachine(configuration)
    machine.interruptedCall = call
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == SimulatedMachine.interrupt)
    #expect(machine.state.open && machine.state.mounted)
    #expect(machine.log.last == "abandon")
    let begun = machine.changes.filter { $0.hasPrefix("start ") }.map { String($0.dropFirst(6)) }
    #expect(machine.state.running == Set(begun))
  }

  @Test func aMachineThatCanNoLongerBeAskedIsTakenBackToo() throws {
    let machine = SimulatedMachine()
    machine.failing["mount"] = .noBus("connection closed")
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == .noBus("connection closed"))
    #expect(unlock.failure?.exitCode == .failure)
    #expect(machine.state == .init())
  }
}
