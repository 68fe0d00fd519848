import MailbootCore
import SecretMemory
import Testing

/// What becomes of the machine when a step fails.
struct UnlockFailureTests {
  /// A step made to fail, and what must be taken back, in order.
  struct Case: Sendable, CustomTestStringConvertible {
    var step: String
    var prepare: @Sendable (SimulatedMachine) -> Void
    var exitCode: ExitCode
    var takenBack: [String]
    var testDescription: String { step }
  }

  static let unbind = ["unbind 1", "unbind 0", "unmount", "close"]
  static let cases: [Case] = [
    Case(
      step: "open: damaged header",
      prepare: { $0.failing["open"] = .vault(VaultFailure(.damagedHeader, "checksum"), device: "/dev/vdb") },
      exitCode: .vault, takenBack: []),
    Case(
      step: "open: too little memory",
      prepare: { $0.failing["open"] = .vault(VaultFailure(.noMemory, "1024 MiB"), device: "/dev/vdb") },
      exitCode: .vault, takenBack: []),
    Case(
      step: "open: refused",
      prepare: { $0.failing["open"] = .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: false) },
      exitCode: .passphrase, takenBack: []),
    Case(
      step: "mount", prepare: { $0.failing["mount"] = .mount(.refused(result: "failed", journal: []), path: "/vault") },
      exitCode: .mount, takenBack: ["close"]),
    Case(
      step: "first bind", prepare: { $0.failing["bind 0"] = .mount(.sourceMissing("/vault/www"), path: "/var/www") },
      exitCode: .mount, takenBack: ["unmount", "close"]),
    Case(
      step: "second bind", prepare: { $0.failing["bind 1"] = .mount(.notEmpty(["file"]), path: "/var/lib/lists") },
      exitCode: .mount, takenBack: ["unbind 0", "unmount", "close"]),
    Case(step: "check mount", prepare: { $0.unsound = [.mount] }, exitCode: .verification, takenBack: unbind),
    Case(step: "check database", prepare: { $0.unsound = [.database] }, exitCode: .verification, takenBack: unbind),
    Case(
      step: "check dkim while services run", prepare: { $0.unsound = [.dkim] }, exitCode: .verification,
      takenBack: ["stop dovecot", "stop redis-server"] + unbind),
    Case(
      step: "check certificate", prepare: { $0.unsound = [.certificate] }, exitCode: .verification, takenBack: unbind),
    Case(
      step: "check postfix while services run",
      prepare: {
        $0.unsound = [.postfix]
        $0.seconds["check postfix"] = 60
      }, exitCode: .verification,
      takenBack: ["stop rspamd", "stop dovecot", "stop redis-server"] + unbind),
    Case(
      step: "check maps while services start",
      prepare: {
        $0.unsound = [.maps]
        $0.seconds = ["check maps": 10, "start dovecot": 30]
      }, exitCode: .verification,
      takenBack: ["stop rspamd", "stop dovecot", "stop redis-server"] + unbind),
    Case(
      step: "redis-server",
      prepare: {
        $0.serviceFailures["redis-server"] = .notStarted(
          unit: "redis-server.service", result: "failed", journal: ["no"])
      }, exitCode: .service, takenBack: ["stop dovecot", "stop redis-server"] + unbind),
    Case(
      step: "dovecot",
      prepare: {
        $0.serviceFailures["dovecot"] = .notStarted(unit: "dovecot.service", result: "failed", journal: [])
        $0.seconds = ["start dovecot": 30]
      }, exitCode: .service, takenBack: ["stop rspamd", "stop dovecot", "stop redis-server"] + unbind),
    Case(
      step: "rspamd is silent",
      prepare: {
        $0.serviceFailures["rspamd"] = .silent(
          probe: "http://127.0.0.1:11333/ping", reason: "refused", seconds: 90, journal: [])
      }, exitCode: .service, takenBack: ["stop rspamd", "stop dovecot", "stop redis-server"] + unbind),
    Case(
      step: "postfix is silent",
      prepare: {
        $0.serviceFailures["postfix"] = .silent(
          probe: "smtp://127.0.0.1:25", reason: "refused", seconds: 90, journal: [])
      }, exitCode: .service,
      takenBack: ["stop postfix", "stop rspamd", "stop dovecot", "stop redis-server"] + unbind),
  ]

  @Test(arguments: cases)
  func aFailedStepLeavesTheMachineAsItWas(_ example: Case) throws {
    let machine = SimulatedMachine(configurationWithBinds())
    example.prepare(machine)
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure?.exitCode == example.exitCode)
    if case .rollback = unlock.failure { Issue.record("\(unlock.failure!)") }
    #expect(machine.state == .init())
    let undone = ["unbind", "unmount", "close", "stop"]
    #expect(machine.changes.filter { entry in undone.contains { entry.hasPrefix($0) } } == example.takenBack)
    #expect(unlock.run.rolledBack == !example.takenBack.isEmpty)
    let shown = unlock.progress.compactMap { event in
      if case .undone(let name, nil) = event { name } else { nil }
    }
    #expect(shown.count == example.takenBack.count)
    #expect(unlock.progress.contains(.undoing) == !example.takenBack.isEmpty)
  }

  @Test(arguments: cases)
  func nothingStartsAfterAFailureAndTheDoorStaysClosed(_ example: Case) throws {
    let machine = SimulatedMachine(configurationWithBinds())
    example.prepare(machine)
    _ = try SimulatedUnlock(machine)
    if example.step != "postfix is silent" { #expect(machine.position("start postfix") == nil) }
    if let failed = machine.log.firstIndex(where: { $0.hasPrefix("failed") }) {
      #expect(!machine.log[failed...].contains { $0.hasPrefix("start") })
    }
  }

  @Test func aRefusedPassphraseIsNoStepAndTheNextTryFollowsOnTheSameRun() throws {
    let machine = SimulatedMachine()
    machine.failing["open"] = .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: false)
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.run.steps.isEmpty)
    #expect(unlock.progress == [.began(.open), .refused(empty: false)])
    machine.failing = [:]
    try unlock.run.open(SecretBytes(capacity: 8))
    try unlock.run.complete(start: true)
    #expect(unlock.run.steps.first?.name == "open")
    #expect(machine.state.running.count == 4)
  }

  @Test(arguments: cases)
  func nothingIsLookedAtAnyMoreWhenTheRunHasEnded(_ example: Case) throws {
    let machine = SimulatedMachine(configurationWithBinds())
    example.prepare(machine)
    _ = try SimulatedUnlock(machine)
    #expect(machine.ahead.isEmpty)
    #expect(!machine.isBusy)
  }

  @Test func theFailedStepIsRecordedLast() throws {
    let machine = SimulatedMachine()
    machine.failing["mount"] = .mount(.notADirectory, path: "/vault")
    let steps = try SimulatedUnlock(machine).run.steps
    #expect(steps.map(\.name) == ["open", "mount"])
    #expect(steps.last?.outcome == .failed)
  }

  @Test func aFailedServiceIsNamedWithItsReason() throws {
    let machine = SimulatedMachine()
    let why = ServiceFailure.notStarted(unit: "rspamd.service", result: "failed (exit-code)", journal: ["syntax error"])
    machine.serviceFailures["rspamd"] = why
    #expect(try SimulatedUnlock(machine).failure == .service(name: "rspamd", why))
  }

  @Test func theFirstOfSeveralFailedServicesIsTheOneNamed() throws {
    let machine = SimulatedMachine()
    machine.serviceFailures["dovecot"] = .missing(unit: "dovecot.service")
    machine.serviceFailures["redis-server"] = .missing(unit: "redis-server.service")
    machine.seconds = ["start dovecot": 3, "start redis-server": 2, "check postfix": 30]
    #expect(
      try SimulatedUnlock(machine).failure == .service(name: "redis-server", .missing(unit: "redis-server.service")))
  }

  @Test func aFailedCheckExplainsAFailedServiceAndIsTheOneNamed() throws {
    let machine = SimulatedMachine()
    machine.serviceFailures["dovecot"] = .notStarted(unit: "dovecot.service", result: "failed", journal: [])
    machine.unsound = [.dovecot]
    machine.seconds["check dovecot"] = 30
    guard case .verification(let records)? = try SimulatedUnlock(machine).failure else {
      Issue.record("no verification failure")
      return
    }
    #expect(records.map(\.name) == [.dovecot])
    #expect(records.first?.hint == "mend it")
    #expect(machine.state == .init())
  }

  @Test func aSilentServiceKeepsWhatItsProbeHeard() throws {
    let machine = SimulatedMachine()
    machine.serviceFailures["postfix"] = .silent(probe: "smtp://127.0.0.1:25", reason: "no", seconds: 9, journal: [])
    let run = try SimulatedUnlock(machine).run
    #expect(run.probes["postfix"]?.answered == false)
    #expect(run.probes["dovecot"]?.answered == true)
  }
}
