import MailbootCore
import Testing

/// The order of an unlock in which all goes well.
struct UnlockOrderTests {
  @Test func everythingIsDoneInOrderAndTheDoorOpensLast() throws {
    let machine = SimulatedMachine(configurationWithBinds())
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == nil)
    #expect(
      machine.changes == [
        "open", "mount", "bind 0", "bind 1", "start redis-server", "start dovecot", "start rspamd", "start postfix",
      ])
    #expect(machine.log.last == "ready postfix")
    #expect(
      machine.state
        == .init(
          open: true, mounted: true, binds: [0, 1], running: ["redis-server", "dovecot", "rspamd", "postfix"]))
    #expect(!unlock.run.rolledBack)
  }

  @Test func everyStepIsRecordedUnderANameOfItsOwn() throws {
    let unlock = try SimulatedUnlock(SimulatedMachine(configurationWithBinds()))
    let names = unlock.run.steps.map(\.name)
    #expect(names.count == 4 + CheckGroup.allCases.count + 4)
    #expect(Set(names).count == names.count, "\(names)")
    #expect(names.prefix(4) == ["open", "mount", "bind /var/www/private", "bind /var/lib/lists"])
    #expect(names.contains("check postfix") && names.contains("postfix"))
    let changed = unlock.run.steps.filter { $0.outcome == .changed }.map(\.name)
    #expect(changed == names.filter { !$0.hasPrefix("check ") })
  }

  @Test func stepsHaveTheTimeTheyTook() throws {
    let machine = SimulatedMachine()
    machine.seconds = ["open": 3, "mount": 0.5, "check postfix": 7, "start dovecot": 4]
    let steps = try SimulatedUnlock(machine).run.steps
    for (name, seconds) in [("open", 3), ("mount", 0.5), ("check postfix", 7), ("dovecot", 4)] {
      #expect(steps.first { $0.name == name }?.seconds == seconds)
    }
  }

  @Test func stepsSayWhenTheyBegan() throws {
    let machine = SimulatedMachine()
    machine.seconds = ["open": 3, "mount": 0.5]
    let unlock = try SimulatedUnlock(machine)
    func began(_ name: String) -> Double? { unlock.run.steps.first { $0.name == name }?.began }
    #expect(began("open") == 0)
    #expect(began("mount") == 3)
    #expect(began("check database").map { $0 >= 3.5 } == true)
    #expect(unlock.run.steps.allSatisfy { $0.began != nil })
  }

  @Test func probesAndVerdictsAreKept() throws {
    let machine = SimulatedMachine()
    let run = try SimulatedUnlock(machine).run
    #expect(Set(run.probes.keys) == ["redis-server", "dovecot", "rspamd", "postfix"])
    #expect(run.probes["postfix"] == ProbeRecord(answered: true, detail: "postfix speaks", at: machine.wall()))
    #expect(run.verdicts.records.map(\.name) == CheckName.allCases)
    #expect(run.verdicts.records.allSatisfy { $0.result == .pass })
  }

  @Test func servicesStartAtOnceWhereAfterAllowsAndToolsRunMeanwhile() throws {
    let machine = SimulatedMachine()
    machine.seconds = [
      "check postfix": 10, "check dovecot": 9, "check rspamd": 9, "check maps": 9, "start redis-server": 2,
      "start rspamd": 3, "start dovecot": 4,
    ]
    _ = try SimulatedUnlock(machine)
    let mounted = 2.0
    for group in CheckGroup.allCases where group.after.isEmpty {
      #expect(machine.begun["check \(group.rawValue)"] == mounted)
    }
    // The database's domains are what the keys and maps are asked for.
    #expect(machine.begun["check dkim"] == mounted + 1)
    #expect(machine.begun["check maps"] == mounted + 1)
    // Not before the last check of the vault itself, and then both at once.
    #expect(machine.begun["start redis-server"] == mounted + 1)
    #expect(machine.begun["start dovecot"] == mounted + 1)
    #expect(machine.begun["start rspamd"] == mounted + 3)
    // The door waits for the slowest tool although all services are ready before.
    #expect(machine.begun["start postfix"] == mounted + 10)
    #expect(machine.now == mounted + 11)
  }

  @Test func theDoorWaitsForEveryOtherServiceEvenThoseItDoesNotName() throws {
    var configuration = Configuration()
    configuration.services.append(Configuration.Service(name: "sieve-helper"))
    let machine = SimulatedMachine(configuration)
    machine.seconds["start sieve-helper"] = 50
    _ = try SimulatedUnlock(machine)
    #expect(machine.position("start postfix")! > machine.position("ready sieve-helper")!)
    #expect(machine.log.last == "ready postfix")
  }

  @Test(arguments: CheckGroup.allCases.filter { $0 != .freeSpace })
  func theDoorWaitsForEveryRequiredCheck(_ group: CheckGroup) throws {
    let machine = SimulatedMachine()
    machine.seconds["check \(group.rawValue)"] = 100
    _ = try SimulatedUnlock(machine)
    #expect(machine.position("start postfix")! > machine.position("checked \(group.rawValue)")!)
  }

  @Test(arguments: CheckGroup.allCases.filter { !$0.isTool && $0 != .freeSpace })
  func noServiceStartsBeforeEachCheckOfTheVaultHasPassed(_ group: CheckGroup) throws {
    let machine = SimulatedMachine()
    machine.seconds["check \(group.rawValue)"] = 100
    _ = try SimulatedUnlock(machine)
    let firstStart = try #require(machine.log.firstIndex { $0.hasPrefix("start ") })
    #expect(firstStart > machine.position("checked \(group.rawValue)")!)
  }

  @Test func aCheckThatOnlyWarnsHoldsNothingUp() throws {
    var configuration = Configuration()
    for check in [CheckName.database, .postfix] { configuration.verify.severity[check] = .warn }
    let strict = SimulatedMachine(configuration)
    // The keys and the maps need the database's domains, and are required.
    for check in [CheckName.dkim, .maps] { configuration.verify.severity[check] = .warn }
    let lenient = SimulatedMachine(configuration)
    for machine in [strict, lenient] {
      machine.unsound = [.database, .postfix, .freeSpace]
      machine.seconds = ["check database": 100, "check postfix": 200, "check free-space": 300]
      let unlock = try SimulatedUnlock(machine)
      #expect(unlock.failure == nil)
      #expect(
        unlock.run.verdicts.records.filter { $0.result == .warn }.map(\.name) == [.database, .freeSpace, .postfix])
      #expect(machine.position("start postfix")! < machine.position("checked postfix")!)
      // What warns is waited for all the same before the run ends.
      #expect(machine.log.last == "checked free-space")
    }
    #expect(strict.begun["start dovecot"]! < 100 && strict.begun["start postfix"]! > 100)
    #expect(lenient.begun["start postfix"]! < 100)
  }

  @Test func aCheckThatIsOffIsNotRun() throws {
    var configuration = Configuration()
    for check in [CheckName.database, .rspamd, .certificate, .certificateExpiry] {
      configuration.verify.severity[check] = .off
    }
    let machine = SimulatedMachine(configuration)
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == nil)
    #expect(machine.position("check database") == nil)
    #expect(machine.position("check rspamd") == nil)
    // One of its three checks is still wanted.
    #expect(machine.position("check certificate") != nil)
    #expect(machine.position("check dkim") != nil)
    let records = unlock.run.verdicts.records
    #expect(records.filter { $0.result == .skip }.map(\.name) == [.certificate, .certificateExpiry])
  }

  @Test func whileTheKeyIsDerivedOnlyWhatLiesOutsideTheVaultIsLookedAt() throws {
    var configuration = Configuration()
    configuration.verify.severity[.rspamd] = .off
    let machine = SimulatedMachine(configuration)
    machine.failing["open"] = .interrupted(signal: 2)
    var seen: [CheckGroup] = []
    machine.whileOpening = { seen = machine.ahead }
    _ = try SimulatedUnlock(machine)
    #expect(seen == [.certificate, .dovecot])
  }

  @Test func anOpenVaultIsNotLookedAtAhead() throws {
    let machine = SimulatedMachine()
    machine.foundOpen()
    _ = try SimulatedUnlock(machine)
    #expect(machine.lookedAhead.isEmpty)
  }

  @Test func withoutStartItMountsAndChecksOnly() throws {
    let machine = SimulatedMachine(configurationWithBinds())
    let unlock = try SimulatedUnlock(machine, start: false)
    #expect(unlock.failure == nil)
    #expect(machine.changes == ["open", "mount", "bind 0", "bind 1"])
    #expect(machine.state == .init(open: true, mounted: true, binds: [0, 1]))
    #expect(unlock.run.verdicts.records.count == CheckName.allCases.count)
  }

  @Test func withoutStartOthersMayStartOnlyWhatWasVerified() throws {
    let machine = SimulatedMachine()
    #expect(try SimulatedUnlock(machine, start: false).failure == nil)
    #expect(machine.log.last == "admit")
    let unsound = SimulatedMachine()
    unsound.unsound = [.database]
    #expect(try SimulatedUnlock(unsound, start: false).failure != nil)
    #expect(!unsound.log.contains("admit"))
  }

  @Test func doorsWithServicesBehindThemDoNotWaitForEachOther() throws {
    var configuration = Configuration()
    configuration.services = [
      Configuration.Service(
        name: "inner", after: ["outer-helper"], probe: try ProbeURL(parsing: "smtp://127.0.0.1:10025")),
      Configuration.Service(name: "inner-helper", after: ["inner"]),
      Configuration.Service(name: "outer-helper"),
      Configuration.Service(name: "outer", probe: try ProbeURL(parsing: "smtps://127.0.0.1")),
      Configuration.Service(name: "outer-listener", after: ["outer"]),
    ]
    let machine = SimulatedMachine(configuration)
    let unlock = try SimulatedUnlock(machine)
    #expect(unlock.failure == nil)
    #expect(machine.state.running == Set(configuration.services.map(\.name)))
  }

  @Test func onlyWhatLiesOutsideTheVaultIsLookedAtBeforeItIsOpen() throws {
    let machine = SimulatedMachine()
    _ = try SimulatedUnlock(machine)
    #expect(machine.lookedAhead == [.certificate, .dovecot, .rspamd])
  }

  @Test func progressNamesEachBeginningAndEnd() throws {
    let progress = try SimulatedUnlock(SimulatedMachine()).progress
    var open: Set<Step> = []
    for event in progress {
      switch event {
      case .began(let step): #expect(open.insert(step).inserted)
      case .ended(let step, let outcome, _, _):
        #expect(open.remove(step) != nil)
        #expect(outcome == .changed)
      case .checked(let group, let records, _):
        #expect(open.remove(.check(group)) != nil)
        #expect(records.map(\.name) == group.checks)
      case .failed, .refused, .leftClosed, .undoing, .undone, .note:
        Issue.record("\(event) in a run in which all went well")
      }
    }
    #expect(open.isEmpty)
  }
}
