/// Which checks and services may begin now. Pure: what has ended comes in, what may begin goes out.
///
/// The rules: a check waits for the checks it needs; no service begins before the required checks of the vault itself have passed;
/// a service waits until those in its `after` are ready; a door (what takes mail from the world) waits for every required
/// check, the services' own tools included, and for every service that is neither a door nor behind one.
struct ServiceSchedule {
  private enum Progress { case waiting, going, done }

  let configuration: Configuration
  private let verdicts: Verdicts
  private var checks: [CheckGroup: Progress] = [:]
  private var services: [Progress]
  private(set) var going = 0

  init(configuration: Configuration, withServices: Bool) {
    self.configuration = configuration
    verdicts = Verdicts(configuration.verify)
    for group in CheckGroup.allCases { checks[group] = verdicts.wants(group) ? .waiting : .done }
    services = configuration.services.map { _ in withServices ? .waiting : .done }
  }

  /// Marks as begun and returns what may begin. Services first: they are the long way.
  mutating func begin() -> (services: [Int], checks: [CheckGroup]) {
    let readyServices = services.indices.filter { services[$0] == .waiting && mayBegin(service: $0) }
    let readyChecks = CheckGroup.allCases.filter { group in
      checks[group] == .waiting && group.after.allSatisfy { checks[$0] == .done }
    }
    for index in readyServices { services[index] = .going }
    for group in readyChecks { checks[group] = .going }
    going += readyServices.count + readyChecks.count
    return (readyServices, readyChecks)
  }

  mutating func ended(_ group: CheckGroup) {
    checks[group] = .done
    going -= 1
  }

  mutating func ended(service index: Int) {
    services[index] = .done
    going -= 1
  }

  var goingChecks: Int { checks.values.count { $0 == .going } }

  private func mayBegin(service index: Int) -> Bool {
    let service = configuration.services[index]
    for group in CheckGroup.allCases where checks[group] != .done && verdicts.requires(group) {
      if service.isDoor || !group.isTool { return false }
    }
    for (other, progress) in zip(configuration.services, services) where progress != .done {
      if service.after.contains(other.name) { return false }
      // Unless it waits for a door itself: two doors would wait for each other's followers.
      if service.isDoor, !other.isDoor, !configuration.waitsForDoor(other) { return false }
    }
    return true
  }
}
