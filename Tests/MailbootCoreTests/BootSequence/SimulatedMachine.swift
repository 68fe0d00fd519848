import MailbootCore
import SecretMemory

/// A mail host on paper: what is open, mounted and running, with a clock of its own. Every operation can be told to fail.
///
/// It keeps the rules of a real machine (a mount in use is not unmounted, an open mapping that is mounted is not closed), so
/// an undo in a wrong order fails here as it would there.
final class SimulatedMachine: VaultPort, ServicesPort, UsersPort, ClockPort {
  struct State: Equatable {
    var open = false
    var mounted = false
    var binds: Set<Int> = []
    var running: Set<String> = []
    /// Doors whose units are started and wait.
    var held: Set<String> = []
  }

  /// How a vault is opened and mounted.
  enum Kind: CaseIterable {
    /// Opened, then mounted: LUKS.
    case mapped
    /// Opening mounts it, and unmounting closes it: gocryptfs.
    case shown
    /// Always there.
    case always
  }

  let configuration: Configuration
  let kind: Kind
  let name = "vault-blk"
  var state = State()
  /// What fails, by the operation as it stands in `log`.
  var failing: [String: Failure] = [:]
  /// Services that do not become ready. With `.silent` they run nevertheless.
  var serviceFailures: [String: ServiceFailure] = [:]
  /// Checks that find something wrong.
  var unsound: Set<CheckName> = []
  /// The doors that can be held, and the checks that their units make.
  var holds: [String: Set<CheckGroup>] = [:]
  /// Doors whose units fail while they are prepared.
  var preparationFailures: [String: ServiceFailure] = [:]
  /// Checks that no finding says anything about.
  var unseen: Set<CheckName> = []
  /// How long an operation takes; one second where nothing is said.
  var seconds: [String: Double] = [:]
  /// The call that blocks, counted from 0, in which the person presses Ctrl-C.
  var interruptedCall: Int?
  /// Called while the key is derived.
  var whileOpening: () -> Void = {}

  private(set) var now = 0.0
  /// Every operation in order, as `open`, `prepare NAME`, `prepared NAME`, `start NAME`, `check GROUP`, `ready NAME`,
  /// `checked GROUP`, `stop NAME`, `shut NAME`, …
  private(set) var log: [String] = []
  /// When an operation of the log began.
  private(set) var begun: [String: Double] = [:]
  private(set) var blockingCalls = 0
  private(set) var started: Set<Int> = []
  private var going: [Task] = []
  /// Checks that are looked at already, and that nobody has asked for yet.
  private(set) var ahead: [CheckGroup] = []
  private(set) var lookedAhead: [CheckGroup] = []
  /// Services that were started while the vault was mounted, and so hold it.
  private var holders: Set<String> = []
  /// Processes outside the services that use the vault.
  var visitors: [Holder] = []
  /// Those of them that nothing ends.
  var stubborn: Set<Int32> = []
  /// Uses of the vault that no process stands for.
  var obstacles: [Obstacle] = []
  /// Called after each operation, with its name in the log.
  var afterwards: (String) -> Void = { _ in }

  var isBusy: Bool { !going.isEmpty }

  static let interrupt = Failure.interrupted(signal: 2)

  private struct Task {
    enum Kind {
      case check(CheckGroup)
      case preparation(Int)
      case service(Int, start: Bool, StepOutcome)
    }
    var kind: Kind
    var ends: Double
  }

  init(_ configuration: Configuration = Configuration(), kind: Kind = .mapped) {
    self.configuration = configuration
    self.kind = kind
    if kind == .always { foundOpen(mounted: true) }
  }

  /// As it is after somebody has opened, mounted and started these by hand.
  func foundOpen(mounted: Bool = false, binds: Set<Int> = [], running: Set<String> = []) {
    state = State(open: true, mounted: mounted, binds: binds, running: running)
    holders = mounted ? running : []
  }

  // MARK: Clock

  func monotonic() -> Double { now }
  func wall() -> Double { 1_700_000_000 + now }

  private func act(_ operation: String) throws(Failure) {
    note(operation)
    now += seconds[operation] ?? 1
    if let failure = failing[operation] { throw failure }
    afterwards(operation)
  }

  /// What happens to another vault of this machine.
  func actFurther(_ operation: String) throws(Failure) { try act(operation) }

  private func note(_ operation: String) {
    log.append(operation)
    begun[operation] = now
  }

  private func block() throws(Failure) {
    defer { blockingCalls += 1 }
    if blockingCalls == interruptedCall { throw Self.interrupt }
  }

  // MARK: Vault

  func open(_ passphrase: borrowing SecretBytes) throws(Failure) -> StepOutcome {
    whileOpening()
    try block()
    try act("open")
    defer {
      state.open = true
      if kind == .shown { state.mounted = true }
    }
    return state.open ? .unchanged : .changed
  }

  func mount() throws(Failure) -> StepOutcome {
    try block()
    try act("mount")
    guard state.open else { throw .system("mount: the vault is closed") }
    if kind == .shown && !state.mounted { throw .system("mount: only opening mounts it") }
    defer { state.mounted = true }
    return state.mounted ? .unchanged : .changed
  }

  func mountBind(_ index: Int) throws(Failure) -> StepOutcome {
    try block()
    try act("bind \(index)")
    guard state.mounted else { throw .system("bind: the vault is not mounted") }
    return state.binds.insert(index).inserted ? .changed : .unchanged
  }

  func unmountBind(_ index: Int) throws(Failure) -> StepOutcome {
    try act("unbind \(index)")
    return state.binds.remove(index) == nil ? .unchanged : .changed
  }

  func unmount() throws(Failure) -> StepOutcome {
    try act("unmount")
    return try detach()
  }

  private func detach() throws(Failure) -> StepOutcome {
    guard state.mounted, kind != .always else { return .unchanged }
    guard state.binds.isEmpty, holders.isEmpty, visitors.isEmpty else {
      throw .mount(.busy("target is busy"), path: "/vault")
    }
    state.mounted = false
    if kind == .shown { state.open = false }
    return .changed
  }

  func close() throws(Failure) -> StepOutcome {
    try act("close")
    switch kind {
    case .mapped: break
    case .shown: return try detach()
    case .always: return .unchanged
    }
    guard !state.mounted, obstacles.isEmpty else {
      throw .vault(VaultFailure(.busy, "it is mounted"), device: "vault-blk")
    }
    defer { state.open = false }
    return state.open ? .changed : .unchanged
  }

  // MARK: Users

  func look(withServices: Bool) throws(Failure) -> VaultUse {
    try act(withServices ? "look at all" : "look")
    let services = withServices ? holders.sorted().map { Holder.example(7, $0, unit: "\($0).service") } : []
    return VaultUse(holders: visitors + services, obstacles: obstacles)
  }

  func end(_ users: [Holder]) throws(Failure) {
    try act("end " + users.map { String($0.pid) }.joined(separator: " "))
    visitors.removeAll { users.contains($0) && !stubborn.contains($0.pid) }
  }

  // MARK: Services and checks

  /// Decides nothing, so it is no operation of the log.
  func lookAhead(_ groups: [CheckGroup]) {
    ahead = groups
    lookedAhead = groups
  }

  func begin(check group: CheckGroup) {
    ahead.removeAll { $0 == group }
    let name = "check \(group.rawValue)"
    note(name)
    going.append(Task(kind: .check(group), ends: now + (seconds[name] ?? 1)))
  }

  func hold(of door: Int) throws(Failure) -> Set<CheckGroup>? {
    let name = configuration.services[door].name
    return state.running.contains(name) ? nil : holds[name]
  }

  func prepare(door index: Int, making checks: Set<CheckGroup>) {
    let name = configuration.services[index].name
    note("prepare \(name)")
    started.insert(index)
    state.held.insert(name)
    if state.mounted { holders.insert(name) }
    // Its units make their checks on the way.
    let end = now + (seconds["prepare \(name)"] ?? 1)
    for group in checks {
      begun["check \(group.rawValue)"] = now
      going.append(Task(kind: .check(group), ends: min(end, now + (seconds["check \(group.rawValue)"] ?? 1))))
    }
    going.append(Task(kind: .preparation(index), ends: end))
  }

  private func ended(preparation index: Int) -> ServicesEvent {
    let name = configuration.services[index].name
    guard let failure = preparationFailures[name] else {
      log.append("prepared \(name)")
      return .prepared(door: index, detail: "\(name) waits")
    }
    log.append("failed \(name)")
    state.held.remove(name)
    holders.remove(name)
    return .failed(service: index, failure, nil)
  }

  func begin(service index: Int, start: Bool) {
    let name = configuration.services[index].name
    state.held.remove(name)
    let operation = start ? "start \(name)" : "probe \(name)"
    note(operation)
    let outcome: StepOutcome = start && !state.running.contains(name) ? .changed : .unchanged
    if outcome == .changed {
      started.insert(index)
      // From now on systemd has the job, whether anybody waits for it or not.
      state.running.insert(name)
      if state.mounted { holders.insert(name) }
    }
    going.append(Task(kind: .service(index, start: start, outcome), ends: now + (seconds[operation] ?? 1)))
  }

  func admit() throws(Failure) { note("admit") }

  func next() throws(Failure) -> ServicesEvent {
    try block()
    guard let position = going.indices.min(by: { going[$0].ends < going[$1].ends }) else {
      throw .system("waited for nothing")
    }
    let task = going.remove(at: position)
    now = max(now, task.ends)
    switch task.kind {
    case .check(let group):
      log.append("checked \(group.rawValue)")
      let findings = group.checks.filter { !unseen.contains($0) }.map { check in
        let sound = !unsound.contains(check)
        return Finding(check, sound: sound, detail: sound ? "fine" : "broken", hint: sound ? nil : "mend it")
      }
      return .checked(group, findings)
    case .preparation(let index): return ended(preparation: index)
    case .service(let index, let start, let outcome): return ended(service: index, start: start, outcome)
    }
  }

  private func ended(service index: Int, start: Bool, _ outcome: StepOutcome) -> ServicesEvent {
    let service = configuration.services[index]
    var failure = serviceFailures[service.name]
    if !start && !state.running.contains(service.name) {
      failure = .notStarted(unit: service.name, result: "inactive (dead)", journal: [])
    }
    let probe = service.probeText.map { _ in
      ProbeRecord(answered: failure == nil, detail: "\(service.name) speaks", at: wall())
    }
    guard let failure else {
      log.append("ready \(service.name)")
      return .ready(service: index, outcome, probe)
    }
    log.append("failed \(service.name)")
    if case .silent = failure { return .failed(service: index, failure, probe) }
    state.running.remove(service.name)
    holders.remove(service.name)
    return .failed(service: index, failure, nil)
  }

  func abandon() {
    log.append("abandon")
    for name in state.held.sorted() { log.append("shut \(name)") }
    holders.subtract(state.held)
    state.held = []
    going = []
    ahead = []
  }

  func stop(service index: Int) throws(Failure) -> StepOutcome {
    let name = configuration.services[index].name
    try block()
    try act("stop \(name)")
    holders.remove(name)
    return state.running.remove(name) == nil ? .unchanged : .changed
  }
}

extension Holder {
  static func example(_ pid: Int32, _ command: String, unit: String? = "session-3.scope", isAncestor: Bool = false)
    -> Holder
  {
    Holder(
      pid: pid, command: command, user: "root", unit: unit, use: .workingDirectory, place: "/vault/vmail",
      isAncestor: isAncestor)
  }
}

/// One unlock on it, as the program does it: an open vault is not opened again.
struct SimulatedUnlock {
  let run: UnlockSequence
  private(set) var failure: Failure?
  var progress: [Progress] { shown.all }
  private let shown = Shown()

  private final class Shown {
    var all: [Progress] = []
  }

  init(_ machine: SimulatedMachine, start: Bool = true) throws {
    let shown = shown
    run = UnlockSequence(configuration: machine.configuration, vault: machine, services: machine, clock: machine) {
      shown.all.append($0)
    }
    let passphrase = try SecretBytes(capacity: 8)
    do throws(Failure) {
      if machine.state.open { run.foundOpen() } else { try run.open(passphrase) }
      try run.complete(start: start)
    } catch {
      failure = error
    }
  }
}

extension SimulatedMachine {
  /// What was done to the machine, without the looking.
  var changes: [String] {
    log.filter { entry in
      !["check", "checked", "prepared", "ready", "failed", "abandon", "admit"].contains { entry.hasPrefix($0) }
    }
  }

  func position(_ entry: String) -> Int? { log.firstIndex(of: entry) }
}

/// The standard host with two directories shown elsewhere.
func configurationWithBinds() -> Configuration {
  var configuration = Configuration()
  configuration.binds = [
    Configuration.Bind(from: "/vault/www", to: "/var/www/private"),
    Configuration.Bind(from: "/vault/lists", to: "/var/lib/lists"),
  ]
  return configuration
}
