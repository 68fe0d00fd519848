import MailbootCore
import Testing

/// An unlock on a host whose door can be held: its units start early, and listen last.
struct HeldDoorTests {
  /// As Debian 13 is: the unit makes postfix's own check.
  private static func machine(
    _ configuration: Configuration = Configuration(), checks: Set<CheckGroup> = [.postfix]
  ) -> SimulatedMachine {
    let machine = SimulatedMachine(configuration)
    machine.holds = ["postfix": checks]
    return machine
  }

  @Test func theDoorIsPreparedBesideChecksAndServicesAndOpensLast() throws {
    let machine = Self.machine()
    machine.seconds = ["prepare postfix": 18, "start redis-server": 2, "start rspamd": 5, "start dovecot": 3]
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == nil)
    #expect(machine.position("prepare postfix")! > machine.position("mount")!)
    #expect(machine.position("prepare postfix")! < machine.position("checked mount")!)
    #expect(machine.begun["start postfix"] == machine.begun["prepare postfix"]! + 18)
    #expect(machine.log.last == "ready postfix")
    #expect(machine.state.held.isEmpty && machine.state.running.contains("postfix"))
  }

  @Test(arguments: CheckGroup.allCases.filter { !$0.isTool && $0 != .freeSpace })
  func aVaultThatIsNotSoundLeavesTheDoorShut(_ group: CheckGroup) throws {
    let machine = Self.machine()
    machine.unsound = [group.checks[0]]
    machine.seconds["check \(group.rawValue)"] = 30
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure?.exitCode == .verification)
    #expect(machine.state == .init())
    #expect(!machine.log.contains("start postfix"))
  }

  @Test(arguments: CheckGroup.allCases.filter { $0 != .freeSpace })
  func theHeldDoorWaitsForEveryRequiredCheck(_ group: CheckGroup) throws {
    let machine = Self.machine()
    machine.seconds = ["check \(group.rawValue)": 100, "prepare postfix": 200]
    if group != .postfix { machine.seconds["prepare postfix"] = 1 }
    _ = try SimulatedUnlock(machine)
    #expect(machine.position("start postfix")! > machine.position("checked \(group.rawValue)")!)
  }

  @Test(arguments: ["redis-server", "rspamd", "dovecot"])
  func theHeldDoorWaitsForEveryService(_ service: String) throws {
    let machine = Self.machine()
    machine.seconds["start \(service)"] = 100
    _ = try SimulatedUnlock(machine)
    #expect(machine.position("start postfix")! > machine.position("ready \(service)")!)
    #expect(machine.position("prepared postfix")! < machine.position("ready \(service)")!)
  }

  @Test func theChecksThatItsUnitsMakeAreMadeOnceAndCount() throws {
    let machine = Self.machine()
    let run = try SimulatedUnlock(machine).run
    #expect(!machine.log.contains("check postfix"))
    #expect(machine.log.count { $0 == "checked postfix" } == 1)
    #expect(run.verdicts.records.map(\.name) == CheckName.allCases)
    #expect(run.verdicts.records.allSatisfy { $0.result == .pass })
    #expect(run.steps.map(\.name).contains("check postfix"))
  }

  @Test func whatItsUnitsDoNotCheckIsCheckedAsEver() throws {
    let machine = Self.machine(checks: [])
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == nil)
    #expect(machine.log.count { $0 == "check postfix" } == 1)
  }

  @Test func aCheckThatIsOffIsNotTakenFromTheUnits() throws {
    var configuration = Configuration()
    configuration.verify.severity[.postfix] = .off
    let machine = Self.machine(configuration)
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == nil)
    #expect(!machine.log.contains("checked postfix"))
  }

  @Test func thePreparationIsAStepOfItsOwn() throws {
    let machine = Self.machine()
    machine.seconds["prepare postfix"] = 6
    let unlock = try SimulatedUnlock(machine)
    let step = unlock.run.steps.first { $0.name == "prepare postfix" }
    #expect(step?.outcome == .changed && step?.seconds == 6)
    #expect(
      unlock.progress.contains(.ended(.prepare("postfix"), .changed, seconds: 6, detail: "postfix waits")))
    #expect(unlock.progress.contains(.began(.check(.postfix))))
  }

  @Test func aDoorThatRunsAlreadyIsNotHeld() throws {
    let machine = Self.machine()
    machine.foundOpen(mounted: true, running: ["postfix"])
    _ = try SimulatedUnlock(machine)
    #expect(machine.position("prepare postfix") == nil)
    #expect(machine.position("check postfix") != nil)
  }

  @Test func withoutStartNothingIsPrepared() throws {
    let machine = Self.machine()
    let unlock = try SimulatedUnlock(machine, start: false)
    #expect(unlock.failure == nil)
    #expect(machine.position("prepare postfix") == nil)
    #expect(machine.position("check postfix") != nil)
  }

  // MARK: Failures

  /// Something that fails while the door is held.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var prepare: @Sendable (SimulatedMachine) -> Void
    var exitCode: ExitCode
    var testDescription: String { name }
  }

  static let cases: [Case] =
    [CheckGroup.dovecot, .rspamd, .maps].map { group in
      Case(
        name: "check \(group.rawValue)",
        prepare: {
          $0.unsound = [group.checks[0]]
          $0.seconds["check \(group.rawValue)"] = 30
        }, exitCode: .verification)
    } + [
      Case(
        name: "the units' own check", prepare: { $0.unsound = [.postfix] }, exitCode: .verification),
      Case(
        name: "the units' own check, and they fail of it",
        prepare: {
          $0.unsound = [.postfix]
          $0.preparationFailures["postfix"] = .notStarted(unit: "postfix.service", result: "failed", journal: [])
        }, exitCode: .verification),
      Case(
        name: "the units", prepare: { $0.preparationFailures["postfix"] = .missing(unit: "postfix.service") },
        exitCode: .service),
    ]
    + ["redis-server", "rspamd", "dovecot"].map { service in
      Case(
        name: service,
        prepare: {
          $0.serviceFailures[service] = .notStarted(unit: service, result: "failed", journal: [])
          $0.seconds["start \(service)"] = 30
        }, exitCode: .service)
    }
    + [
      Case(
        name: "rspamd is silent",
        prepare: { $0.serviceFailures["rspamd"] = .silent(probe: "http:", reason: "refused", seconds: 9, journal: []) },
        exitCode: .service),
      Case(
        name: "postfix is silent once it is open",
        prepare: { $0.serviceFailures["postfix"] = .silent(probe: "smtp:", reason: "no", seconds: 9, journal: []) },
        exitCode: .service),
    ]

  @Test(arguments: cases)
  func aFailureShutsTheDoorFirstAndLeavesTheMachineAsItWas(_ example: Case) throws {
    let machine = Self.machine(configurationWithBinds())
    example.prepare(machine)
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure?.exitCode == example.exitCode)
    if case .rollback = unlock.failure { Issue.record("\(unlock.failure!)") }
    #expect(machine.state == .init())
    #expect(machine.changes.first { $0.hasPrefix("stop") } == "stop postfix")
    if !example.name.contains("open") { #expect(machine.position("start postfix") == nil) }
    #expect(unlock.run.rolledBack)
  }

  @Test(arguments: cases)
  func whereFailuresAreLeftTheDoorIsShutAllTheSame(_ example: Case) throws {
    var configuration = Configuration()
    configuration.unlock.onFailure = .leave
    let machine = Self.machine(configuration)
    example.prepare(machine)
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure?.exitCode == example.exitCode)
    #expect(machine.state.mounted && machine.state.held.isEmpty)
    if !example.name.contains("open") { #expect(!machine.state.running.contains("postfix")) }
  }

  @Test func anInterruptionWhileItIsHeldShutsIt() throws {
    let whole = Self.machine()
    _ = try SimulatedUnlock(whole)
    for call in 0..<whole.blockingCalls {
      let machine = Self.machine()
      machine.interruptedCall = call
      let unlock = try SimulatedUnlock(machine)
      #expect(unlock.failure?.exitCode == .interrupted)
      #expect(machine.state == .init(), "call \(call)")
    }
  }

  @Test func theFailedPreparationIsTheStepThatFailed() throws {
    let machine = Self.machine()
    let why = ServiceFailure.notStarted(unit: "postfix.service", result: "failed", journal: ["fatal"])
    machine.preparationFailures["postfix"] = why
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == .service(name: "postfix", why))
    #expect(unlock.run.steps.first { $0.outcome == .failed }?.name == "prepare postfix")
  }
}
