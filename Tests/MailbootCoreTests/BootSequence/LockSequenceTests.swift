import MailbootCore
import Testing

/// One lock on a simulated machine that is ready.
struct SimulatedLock {
  let machine: SimulatedMachine
  let run: LockSequence
  private(set) var failure: Failure?
  var progress: [Progress] { shown.all }
  private let shown = Shown()

  private final class Shown {
    var all: [Progress] = []
  }

  static let all: Set<String> = ["redis-server", "rspamd", "dovecot", "postfix"]
  static let ready = SimulatedMachine.State(open: true, mounted: true, binds: [0, 1], running: all)

  init(kill: Bool = false, prepare: (SimulatedMachine) -> Void = { _ in }) {
    let shown = shown
    machine = SimulatedMachine(configurationWithBinds())
    machine.foundOpen(mounted: true, binds: [0, 1], running: Self.all)
    prepare(machine)
    run = LockSequence(
      configuration: machine.configuration, vault: machine, services: machine, users: machine, clock: machine
    ) { shown.all.append($0) }
    do throws(Failure) {
      try run.lock(kill: kill)
    } catch {
      failure = error
    }
  }

  var notes: [String] { progress.compactMap { if case .note(let text) = $0 { text } else { nil } } }
}

/// Order and outcome of a lock that nothing is in the way of.
struct LockSequenceTests {
  @Test func everythingGoesInReverse() {
    let lock = SimulatedLock()
    #expect(lock.failure == nil)
    #expect(lock.machine.state == .init())
    #expect(
      lock.machine.log == [
        "look", "stop postfix", "stop dovecot", "stop rspamd", "stop redis-server", "unbind 1", "unbind 0", "unmount",
        "close",
      ])
    #expect(lock.run.steps.dropFirst().allSatisfy { $0.outcome == .changed })
    #expect(
      lock.run.steps.map(\.name) == [
        "users of the vault", "stop postfix", "stop dovecot", "stop rspamd", "stop redis-server",
        "unmount /var/lib/lists", "unmount /var/www/private", "unmount /vault", "close vault-blk",
      ])
  }

  @Test func whatIsSoAlreadyIsUnchanged() {
    let lock = SimulatedLock { $0.foundOpen() }
    #expect(lock.failure == nil)
    #expect(lock.machine.state == .init())
    #expect(lock.run.steps.dropLast().allSatisfy { $0.outcome == .unchanged })
    #expect(lock.run.steps.last == StepRecord(name: "close vault-blk", outcome: .changed, seconds: 1, began: 8))
  }

  @Test func whatStandsBehindADoorStopsBeforeItAndEveryDoorBeforeTheRest() {
    var configuration = Configuration()
    configuration.services = [
      .init(name: "archive", after: ["postfix"]), .init(name: "postfix", after: ["dovecot"]), .init(name: "dovecot"),
      .init(name: "web"),
    ]
    #expect(
      configuration.stopOrder.map { configuration.services[$0].name } == ["archive", "postfix", "web", "dovecot"])
  }

  @Test func aVisitorKeepsEverythingRunning() {
    let lock = SimulatedLock { $0.visitors = [.example(812, "bash")] }
    #expect(lock.failure == .inUse(VaultUse(holders: [.example(812, "bash")]), stopped: false))
    #expect(lock.failure?.exitCode == .stillInUse)
    #expect(lock.machine.log == ["look"])
    #expect(!lock.progress.contains(.undoing))
  }

  @Test func aSecondMountKeepsEverythingRunningEvenWithKill() {
    let lock = SimulatedLock(kill: true) {
      $0.obstacles = [.mount("/mnt")]
      $0.visitors = [.example(812, "bash")]
    }
    #expect(lock.failure?.exitCode == .stillInUse)
    #expect(lock.machine.log == ["look"])
    #expect(lock.machine.visitors.count == 1)
  }

  @Test func killEndsTheVisitorsBeforeAnythingIsStopped() {
    let lock = SimulatedLock(kill: true) { $0.visitors = [.example(812, "bash"), .example(813, "less")] }
    #expect(lock.failure == nil)
    #expect(Array(lock.machine.log.prefix(4)) == ["look", "end 812 813", "look", "stop postfix"])
    #expect(lock.run.steps.first?.outcome == .changed)
    #expect(lock.machine.state == .init())
  }

  @Test func aVisitorThatNothingEndsKeepsEverythingRunning() {
    let lock = SimulatedLock(kill: true) {
      $0.visitors = [.example(812, "bash")]
      $0.stubborn = [812]
    }
    #expect(lock.failure == .inUse(VaultUse(holders: [.example(812, "bash")]), stopped: false))
    #expect(lock.machine.state == SimulatedLock.ready)
  }

  @Test func killDoesNotEndTheShellItWasCalledFrom() {
    let lock = SimulatedLock(kill: true) {
      $0.visitors = [.example(811, "bash", isAncestor: true), .example(812, "less")]
    }
    #expect(lock.failure?.exitCode == .stillInUse)
    #expect(lock.machine.log == ["look"])
  }

  @Test func atMostTenUsersAreNamed() {
    let use = VaultUse(holders: (1...13).map { .example($0, "bash") }, obstacles: [.mount("/mnt")])
    #expect(use.lines().count == 11)
    #expect(use.lines().first == "also mounted on /mnt")
    #expect(use.lines()[1] == "bash, process 1 of root in session-3.scope: working directory /vault/vmail")
    #expect(use.lines().last == "and 4 more")
    #expect(
      Failure.inUse(use, stopped: false).summary
        == "the vault is in use outside its services: 13 processes and 1 other use")
  }
}
