import MailHost
import Testing

/// A host in memory that fails, or is killed, before the step that a test chooses.
private struct SimulatedHost: ApplyPorts {
  enum Fault: Error, Equatable {
    case asked, killed
  }

  var files = ["main.cf": "old"]
  var saved: [String: String?]?
  var reloaded: [String] = []
  var current = 1
  var done: [ApplyStep] = []
  let failing: Int?
  let killing: Int?
  var wayBackFails = false

  init(failing: Int? = nil, killing: Int? = nil) {
    self.failing = failing
    self.killing = killing
  }

  mutating func perform(_ step: ApplyStep) throws(Fault) {
    if done.count == killing { throw .killed }
    if done.count == failing { throw .asked }
    done.append(step)
    switch step {
    case .begin: saved = ["main.cf": files["main.cf"], "dovecot.conf": files["dovecot.conf"]]
    case .write(let path): files[path] = "new"
    case .remove(let path): files[path] = nil
    case .tell(let reader): reloaded.append("\(reader.rawValue):\(files["main.cf"] ?? "")")
    case .commit:
      current = 2
      saved = nil
    default: break
    }
  }

  mutating func takeBack() throws(Fault) {
    // Who was killed takes nothing back: the next call does.
    if done.count == killing || wayBackFails { throw .killed }
    settle()
  }

  /// What the next call begins with.
  mutating func settle() {
    for (path, text) in saved ?? [:] { files[path] = text }
    saved = nil
  }
}

private let plan: HostPlan = {
  var plan = HostPlan()
  plan.changes = [
    HostChange(.package, .install, "rspamd"), HostChange(.user, .create, "vmail"),
    HostChange(.file, .change, "main.cf"), HostChange(.file, .create, "dovecot.conf"),
    HostChange(.unit, .enable, "postfix"), HostChange(.guarding, .enable, "mailboot guard"),
    HostChange(.file, .keep, "kept.cf"), HostChange(.file, .wait, "later.cf"),
  ]
  return plan
}()

private let steps: [ApplyStep] = plan.steps(readers: [.postfix, .dovecot, .redis], isOpen: true, manage: .init())
private let old = ["main.cf": "old"]
private let new = ["main.cf": "new", "dovecot.conf": "new"]

@Test func aPlanIsDoneInAnOrderInWhichTheDoorComesLast() throws {
  #expect(
    steps == [
      .install(["rspamd"]), .makeUser("vmail"), .stage, .validate, .begin, .write("main.cf"), .write("dovecot.conf"),
      .installGuard, .reloadManager, .enable("postfix"), .fillVault, .tell(.redis), .tell(.dovecot), .tell(.postfix),
      .bringUp, .prove, .commit,
    ])
}

@Test func allStepsDoneMakeTheNewStateThePresentOne() throws {
  var host = SimulatedHost()
  try ApplySequence(steps).run(&host)
  #expect(host.files == new)
  #expect(host.current == 2)
  #expect(host.reloaded == ["redis:new", "dovecot:new", "postfix:new"])
}

@Test(arguments: steps.indices)
func aStepThatFailsLeavesTheOldState(index: Int) throws {
  var host = SimulatedHost(failing: index)
  var begun = false
  do throws(ApplySequence<SimulatedHost>.Failed) {
    try ApplySequence(steps).run(&host)
    Issue.record("step \(index) did not fail")
  } catch {
    switch error {
    case .refused(let step, .asked):
      #expect(step == steps[index])
    case .takenBack(let step, .asked, after: nil):
      #expect(step == steps[index])
      begun = true
    default: Issue.record("\(error)")
    }
  }
  // What fails at `begin` itself may have begun.
  #expect(begun == (index >= (steps.firstIndex(of: ApplyStep.begin) ?? 0)))
  #expect(host.files == old)
  #expect(host.current == 1)
}

@Test(arguments: steps.indices)
func aKillAtAnyStepLeavesTheOldStateOnceTheNextCallHasLooked(index: Int) throws {
  var host = SimulatedHost(killing: index)
  #expect(throws: (any Error).self) { try ApplySequence(steps).run(&host) }
  host.settle()
  #expect(host.files == old)
  #expect(host.current == 1)
}

@Test func aWayBackThatFailsIsToldBesideItsCause() throws {
  var host = SimulatedHost(failing: steps.firstIndex(of: .prove))
  host.wayBackFails = true
  do throws(ApplySequence<SimulatedHost>.Failed) {
    try ApplySequence(steps).run(&host)
    Issue.record("nothing failed")
  } catch {
    guard case .takenBack(.prove, .asked, after: .killed) = error else {
      Issue.record("\(error)")
      return
    }
  }
}

@Test func aClosedVaultIsNeitherFilledNorTested() {
  let steps = plan.steps(readers: [.postfix], isOpen: false, manage: .init())
  #expect(!steps.contains(.fillVault))
  #expect(!steps.contains(.bringUp))
  #expect(!steps.contains(.prove))
  #expect(steps.last == .commit)
}

@Test func servicesThatAreNotOursToManageAreNotTouched() {
  var manage = HostSettings.Manage()
  manage.services = false
  let steps = plan.steps(readers: [.postfix], isOpen: true, manage: manage)
  #expect(
    steps == [
      .install(["rspamd"]), .makeUser("vmail"), .stage, .validate, .begin, .write("main.cf"), .write("dovecot.conf"),
      .fillVault, .commit,
    ])
}

@Test func whatIsKeptOrWaitsIsNothingToDo() {
  var plan = HostPlan()
  plan.changes = [HostChange(.file, .keep, "/etc/postfix/main.cf")]
  #expect(plan.isEmpty)
  #expect(!plan.isDue)
  plan.changes.append(HostChange(.directory, .wait, "/vault"))
  #expect(!plan.isEmpty)
  #expect(!plan.isDue)
}

@Test func aGenerationIsReadBackAsItWasWritten() throws {
  let entry = Generation.Entry(
    path: "/etc/postfix/main.cf", present: .init(mode: 0o644, owner: "root", group: "root"), before: nil,
    reader: "postfix")
  let generation = Generation(
    number: 3, at: "2026-11-30T10:00:00Z", reason: "apply", versions: "postfix 3.7.11", entries: [entry])
  #expect(Generation(Array(try generation.text().utf8)) == generation)
  #expect(Generation(Array("{}".utf8)) == nil)
  #expect(Generation(Array(try generation.text().dropLast(20).utf8)) == nil)
}
