import MailbootCore
import Testing

/// `verify`: every check and every probe, nothing changed.
struct VerifySequenceTests {
  private func verify(_ machine: SimulatedMachine) throws(Failure) -> VerifySequence {
    try VerifySequence(configuration: machine.configuration, services: machine, clock: machine) { _ in }
  }

  private func readyMachine(_ configuration: Configuration = Configuration()) -> SimulatedMachine {
    let machine = SimulatedMachine(configuration)
    machine.foundOpen(mounted: true, running: ["redis-server", "rspamd", "dovecot", "postfix"])
    return machine
  }

  @Test func allChecksAndProbesAreAskedAndNothingIsChanged() throws {
    let machine = readyMachine()
    let before = machine.state
    let result = try verify(machine)
    #expect(machine.state == before)
    #expect(result.verdicts.records.map(\.name) == CheckName.allCases)
    #expect(Set(result.probes.keys) == machine.state.running)
    #expect(result.failures.isEmpty)
    #expect(!machine.log.contains { $0.hasPrefix("start") })
  }

  @Test func everythingWrongIsFoundAtOnce() throws {
    let machine = readyMachine()
    machine.state.running.remove("rspamd")
    machine.serviceFailures["postfix"] = .silent(
      probe: "smtp://127.0.0.1:25", reason: "refused", seconds: 10, journal: [])
    machine.unsound = [.database, .postfix, .freeSpace]
    let result = try verify(machine)
    #expect(result.verdicts.failed.map(\.name) == [.database, .postfix])
    #expect(result.failures.map(\.name) == ["rspamd", "postfix"])
    #expect(result.probes["postfix"]?.answered == false)
    #expect(result.probes["rspamd"] == nil)
    #expect(result.verdicts.records.count == CheckName.allCases.count)
  }

  @Test func failuresStandInTheOrderOfTheConfiguration() throws {
    let machine = readyMachine()
    machine.state.running = []
    machine.seconds = ["probe redis-server": 4, "probe rspamd": 3, "probe dovecot": 2]
    #expect(try verify(machine).failures.map(\.name) == machine.configuration.services.map(\.name))
  }

  @Test func keysAndMapsAreAskedAfterTheDatabase() throws {
    let machine = readyMachine()
    machine.seconds["check database"] = 20
    _ = try verify(machine)
    #expect(machine.begun["check dkim"] == 20)
    #expect(machine.begun["check maps"] == 20)
    #expect(machine.begun["probe postfix"] == 0)
  }

  @Test func aCheckThatIsOffIsNotRunAndHoldsNoOtherUp() throws {
    var configuration = Configuration()
    configuration.verify.severity[.database] = .off
    let machine = readyMachine(configuration)
    let result = try verify(machine)
    #expect(machine.position("check database") == nil)
    #expect(machine.position("check dkim") != nil)
    #expect(!result.verdicts.records.contains { $0.name == .database })
  }

  @Test(arguments: 0..<13)
  func anInterruptEndsItAndAbandonsWhatGoesOn(_ call: Int) throws {
    let machine = readyMachine()
    let before = machine.state
    machine.interruptedCall = call
    #expect(throws: SimulatedMachine.interrupt) { _ = try verify(machine) }
    #expect(machine.log.last == "abandon")
    #expect(machine.state == before)
  }
}
