/// Which services that went down are to be started again, and when. Pure: looks and times come in, names go out.
///
/// Each service counts for itself. What never answered in this boot is not ours to start; what a person has stopped is inactive, not
/// failed, and stays so. A service goes down with the mount when it was up at the last look at which the mount was there: it comes
/// back with the mount. Who stops it first and unmounts then is at work, and is left alone.
public struct Recovery: Equatable, Sendable {
  /// Seconds before each try; the last again and again.
  static let delays = [5.0, 30, 120, 600]

  private struct Memory: Equatable {
    /// Tries since it was last up for long.
    var tries = 0
    /// Since when it is up, monotonic seconds; nil: it is not.
    var upSince: Double?
    var wentWithMount = false
    /// When it is to be started, monotonic seconds.
    var due: Double?

    var delay: Double { Recovery.delays[min(tries, Recovery.delays.count - 1)] }
  }

  /// Those that were up once since the vault was opened.
  private var services: [String: Memory] = [:]

  public init() {}

  /// When the next one is due, monotonic seconds; nil: nothing is.
  public var due: Double? { services.values.compactMap(\.due).min() }

  /// Takes in a look at the machine.
  /// - Parameter now: monotonic seconds.
  public mutating func look(_ report: StatusReport, at now: Double) {
    switch report.state {
    case .locked:
      services = [:]
      return
    case .ready, .degraded: break
    // A run is at work, or nobody can tell.
    case .unknown, .opening, .mounting, .verifying, .starting, .locking: return
    }
    guard report.vault.open else {
      services = [:]
      return
    }
    if services.isEmpty { remember(report.lastUnlock, services: report.services) }
    guard report.vault.mounted else { return loseMount() }
    for service in report.services { look(service, at: now) }
  }

  /// This look may be the first one of a service that was started anew meanwhile: what the unlock brought up was up.
  private mutating func remember(_ unlock: UnlockRecord?, services names: [StatusReport.Service]) {
    for step in unlock?.steps ?? [] where step.outcome != .failed && names.contains(where: { $0.name == step.name }) {
      services[step.name] = Memory()
    }
  }

  private mutating func loseMount() {
    for name in services.keys {
      if services[name]?.upSince != nil { services[name]?.wentWithMount = true }
      services[name]?.upSince = nil
      // Over the bare directory nothing is started.
      services[name]?.due = nil
    }
  }

  private mutating func look(_ service: StatusReport.Service, at now: Double) {
    if service.ready {
      var memory = services[service.name] ?? Memory()
      memory.upSince = memory.upSince ?? now
      memory.wentWithMount = false
      memory.due = nil
      services[service.name] = memory
      return
    }
    guard var memory = services[service.name] else { return }
    if let since = memory.upSince {
      // One that keeps dying a moment after it has come up is not tried at the first pace again.
      if now - since >= memory.delay { memory.tries = 0 }
      memory.upSince = nil
    }
    let isDown = service.units.contains { unit in
      unit.activeState == "failed" || memory.wentWithMount && unit.activeState == "inactive"
    }
    memory.due = isDown ? memory.due ?? now + memory.delay : nil
    services[service.name] = memory
  }

  /// Whether a service is to be started again, now or later.
  public func isWaiting(for name: String) -> Bool { services[name]?.due != nil }

  /// Those whose time has come, in the order of their names; it counts as a try.
  public mutating func begin(at now: Double) -> [String] {
    let names = services.filter { ($0.value.due ?? .infinity) <= now }.keys.sorted()
    for name in names {
      services[name]?.due = nil
      services[name]?.tries += 1
    }
    return names
  }
}
