/// One lock, from looking who uses the vault to closed.
///
/// The order is the reverse of an unlock, the door first. When the vault turns out to be in use after all, what was stopped and
/// unmounted comes back: mail goes on. Interrupted it stays where it is and says where that is, because both ways on from
/// there are one command.
public final class LockSequence {
  private enum Undo: Equatable {
    case start(Int)
    case mount
    case mountVault(Int)
    case mountBind(Int)

    var isMount: Bool { if case .start = self { false } else { true } }
    /// Whether only what names one further vault has to do without it.
    var isOfFurtherVault: Bool { if case .mountVault = self { true } else { false } }
  }

  private let configuration: Configuration
  private let vault: any VaultPort
  private let others: [any OtherVaultPort]
  private let services: any ServicesPort
  private let users: any UsersPort
  private let report: (Progress) -> Void
  private let log: StepLog
  private var undo: [Undo] = []

  public var steps: [StepRecord] { log.steps }

  public init(
    configuration: Configuration, vault: any VaultPort, others: [any OtherVaultPort] = [], services: any ServicesPort,
    users: any UsersPort, clock: any ClockPort, report: @escaping (Progress) -> Void
  ) {
    self.configuration = configuration
    self.vault = vault
    self.others = others
    self.services = services
    self.users = users
    self.report = report
    log = StepLog(clock: clock, report: report)
  }

  /// From an open vault to locked.
  /// - Parameter kill: end the processes that use the vault and belong to no configured service.
  public func lock(kill: Bool) throws(Failure) {
    do throws(Failure) {
      // Before anything is stopped: who sits in the vault is asked to leave while mail goes on.
      try look(kill: kill)
      for index in configuration.stopOrder {
        try perform(.stop(configuration.services[index].name), undo: .start(index)) { () throws(Failure) in
          try services.stop(service: index)
        }
      }
      try unmountAll(kill: kill)
      try perform(.close(vault.name), undo: nil) { () throws(Failure) in try vault.close() }
    } catch .interrupted(let signal) {
      report(.note(whereItStands()))
      throw .interrupted(signal: signal)
    } catch {
      let cause = explained(error)
      throw takeBack(cause)
    }
  }

  private func look(kill: Bool) throws(Failure) {
    try log.perform(.users) { () throws(Failure) in
      var outcome = StepOutcome.unchanged
      var use = try users.look(withServices: false)
      if kill, use.obstacles.isEmpty, !use.holders.isEmpty, !use.holders.contains(where: \.isAncestor) {
        try users.end(use.holders)
        outcome = .changed
        use = try users.look(withServices: false)
      }
      if !use.isEmpty { throw Failure.inUse(use, stopped: false) }
      return outcome
    }
  }

  private func unmountAll(kill: Bool) throws(Failure) {
    for (index, bind) in configuration.binds.enumerated().reversed() {
      try unmount(bind.to, undo: .mountBind(index), kill: kill) { () throws(Failure) in try vault.unmountBind(index) }
    }
    // One may lie in the first, or have its key there.
    for (index, other) in others.enumerated().reversed() {
      try unmount(other.mountPoint, undo: .mountVault(index), kill: kill) { () throws(Failure) in try other.unmount() }
      try perform(.close(other.name), undo: nil) { () throws(Failure) in try other.close() }
    }
    try unmount(configuration.vault.mount, undo: .mount, kill: kill) { () throws(Failure) in try vault.unmount() }
  }

  private func unmount(
    _ path: String, undo taken: Undo, kill: Bool, _ work: () throws(Failure) -> StepOutcome
  ) throws(Failure) {
    try perform(.unmount(path), undo: taken) { () throws(Failure) in
      do throws(Failure) {
        return try work()
      } catch {
        guard kill, case .mount(.busy, _) = error else { throw error }
        // Somebody came in meanwhile, or a service has left processes behind.
        let use = try users.look(withServices: true)
        guard !use.holders.isEmpty, !use.holders.contains(where: \.isAncestor) else { throw error }
        try users.end(use.holders)
        return try work()
      }
    }
  }

  private func perform(_ step: Step, undo taken: Undo?, _ work: () throws(Failure) -> StepOutcome) throws(Failure) {
    do throws(Failure) {
      let outcome = try log.perform(step, work)
      if outcome == .changed, let taken { undo.append(taken) }
    } catch {
      // A service that did not come down in time, or only in part, is to run again as it did.
      if case .start? = taken, let taken { undo.append(taken) }
      throw error
    }
  }

  /// "Busy" says too little: who it is, is looked for while they are still there.
  private func explained(_ failure: Failure) -> Failure {
    let why: String
    switch failure {
    case .mount(.busy(let text), _): why = text
    case .vault(let vault, _) where vault.kind == .busy: why = vault.detail
    default: return failure
    }
    guard var use = try? users.look(withServices: true) else { return failure }
    if use.isEmpty { use.obstacles = [.unseen(why)] }
    return .inUse(use, stopped: true)
  }

  /// Brings back what this run stopped or unmounted, last first, and returns what to throw.
  private func takeBack(_ cause: Failure) -> Failure {
    guard !undo.isEmpty else { return cause }
    report(.undoing)
    var trouble: [String] = []
    var isEmpty = false
    var down: Set<Int> = []
    var gone: Set<String> = []
    for action in undo.reversed() {
      if case .start(let index) = action {
        if isEmpty { continue }
        // No others wait for these, the door included.
        if configuration.services(without: gone).contains(index) {
          let vaults = gone.sorted().joined(separator: ", ")
          trouble.append("\(configuration.services[index].name) stays stopped: the vault \(vaults) is closed")
          continue
        }
        if let missing = down.first(where: { configuration.waits(index, for: $0) }) {
          // Open without its filter it would take mail unfiltered and send it unsigned.
          let why = "it waits for \(configuration.services[missing].name)"
          report(.undone(name(of: action), trouble: why))
          trouble.append("\(configuration.services[index].name) stays stopped: \(why)")
          down.insert(index)
          continue
        }
      }
      do {
        switch action {
        case .mount: _ = try vault.mount()
        case .mountVault(let index): _ = try others[index].mount()
        case .mountBind(let index): _ = try vault.mountBind(index)
        case .start(let index): try start(index)
        }
        report(.undone(name(of: action), trouble: nil))
      } catch {
        report(.undone(name(of: action), trouble: error.summary))
        trouble.append("\(name(of: action)): \(error.summary)")
        if case .mountVault(let index) = action { gone.insert(others[index].name) }
        if action.isMount, !action.isOfFurtherVault, !isOfGoneVault(action, gone) { isEmpty = true }
        if case .start(let index) = action { down.insert(index) }
      }
    }
    if isEmpty { trouble.append("the services stay stopped: they would run over an empty directory") }
    undo = []
    return trouble.isEmpty ? cause : .rollback(of: cause, trouble: trouble)
  }

  private func isOfGoneVault(_ action: Undo, _ gone: Set<String>) -> Bool {
    guard case .mountBind(let index) = action else { return false }
    return configuration.otherVault(of: configuration.binds[index].from).map { gone.contains($0.name) } ?? false
  }

  private func start(_ index: Int) throws(Failure) {
    services.begin(service: index, start: true)
    while true {
      switch try services.next() {
      case .ready(index, _, _): return
      case .failed(index, let failure, _): throw .service(name: configuration.services[index].name, failure)
      default: continue
      }
    }
  }

  private func name(of action: Undo) -> String {
    switch action {
    case .start(let index): "start \(configuration.services[index].name)"
    case .mount: "mount \(configuration.vault.mount)"
    case .mountVault(let index): "mount \(others[index].mountPoint)"
    case .mountBind(let index): "mount \(configuration.binds[index].to)"
    }
  }

  /// One sentence for whoever interrupted.
  private func whereItStands() -> String {
    let done = steps.filter { $0.outcome == .changed }.map(\.name)
    let going = steps.last.flatMap { $0.outcome == .failed ? $0.name : nil }
    var text = done.isEmpty ? "nothing was changed" : "done so far: " + done.joined(separator: ", ")
    if let going { text += "; interrupted at: \(going)" }
    return text + "; the vault is still open; `mailboot lock` goes on from here, `mailboot` brings everything back up"
  }
}
