import MailbootCore
import Testing

/// A run that starts again what went down, and nothing else.
struct StartAgainTests {
  private static let names = Configuration().services.map(\.name)

  /// A host that was ready, of which some services are down.
  private static func run(
    _ only: Set<String>, down: Set<String>, prepare: (SimulatedMachine) -> Void = { _ in }
  ) -> (machine: SimulatedMachine, failure: Failure?) {
    var configuration = Configuration()
    configuration.unlock.onFailure = .leave
    let machine = SimulatedMachine(configuration)
    machine.foundOpen(mounted: true, running: Set(names).subtracting(down))
    prepare(machine)
    let run = UnlockSequence(
      configuration: configuration, vault: machine, services: machine, clock: machine,
      only: Set(names.indices.filter { only.contains(names[$0]) })
    ) { _ in }
    run.foundOpen()
    do throws(Failure) {
      try run.complete(start: true)
      return (machine, nil)
    } catch {
      return (machine, error)
    }
  }

  @Test func whatWentDownComesBackAndTheRestIsOnlyAsked() {
    let (machine, failure) = Self.run(["dovecot"], down: ["dovecot"])
    #expect(failure == nil)
    #expect(machine.state.running == Set(Self.names))
    #expect(machine.log.filter { $0.hasPrefix("start ") } == ["start dovecot"])
  }

  @Test func whatSomebodyStoppedStaysDown() {
    let (machine, failure) = Self.run(["redis-server"], down: ["redis-server", "dovecot"])
    #expect(failure == nil)
    #expect(machine.state.running == Set(Self.names).subtracting(["dovecot"]))
  }

  @Test func theDoorDoesNotOpenWhileSomethingBeforeItIsDown() {
    let (machine, failure) = Self.run(["postfix"], down: ["postfix", "rspamd"])
    #expect(failure?.exitCode == .service)
    #expect(failure?.summary.contains("waits for rspamd") == true, "\(String(describing: failure))")
    #expect(machine.state.running == ["redis-server", "dovecot"])
    #expect(!machine.log.contains { $0.hasPrefix("stop ") })
  }

  @Test func oneThatFailsAgainStopsNothing() {
    let (machine, failure) = Self.run(["dovecot", "rspamd"], down: ["dovecot", "rspamd"]) {
      $0.serviceFailures["dovecot"] = .notStarted(unit: "dovecot.service", result: "failed", journal: [])
    }
    #expect(failure?.exitCode == .service)
    #expect(machine.state.running == ["redis-server", "rspamd", "postfix"])
    #expect(!machine.log.contains { $0.hasPrefix("stop ") })
  }

  @Test func aCheckThatFailsMeanwhileStopsNothing() {
    let (machine, failure) = Self.run(["dovecot"], down: ["dovecot"]) { $0.unsound = [.postfix] }
    #expect(failure?.exitCode == .verification)
    #expect(machine.state.running.isSuperset(of: ["redis-server", "rspamd", "postfix"]))
    #expect(!machine.log.contains { $0.hasPrefix("stop ") })
  }
}
