/// Which checks and services may begin now. Pure: what has ended comes in, what may begin goes out.
///
/// The rules: a check waits for the checks it needs; no service begins before the required checks of the vault itself have passed;
/// a service waits until those in its `after` are ready; a door (what takes mail from the world) waits for every required
/// check, the services' own tools included, and for every service that is neither a door nor behind one.
///
/// A door that can be held is prepared before any check, and waits for its preparation too. What waits for a
/// service that is left as it is, and is down, never begins.
struct ServiceSchedule {
  private enum Progress { case waiting, going, done }

  /// What may begin now.
  struct Round: Equatable {
    var services: [Int] = []
    var checks: [CheckGroup] = []
  }

  let configuration: Configuration
  /// The doors that can be held, and the checks that their own units make while they are prepared.
  let holds: [Int: Set<CheckGroup>]
  private let verdicts: Verdicts
  private var checks: [CheckGroup: Progress] = [:]
  private var services: [Progress]
  /// Services that are not to be started, and are not up.
  private var down: Set<Int> = []
  /// Services whose vault is not mounted, and those behind them: nothing else waits for them.
  private let absent: Set<Int>
  private var preparations: [Int: Progress]
  private(set) var going = 0

  /// - Parameters:
  ///   - holds: checks that nobody wants may be among those of a door.
  ///   - absent: services that never begin; see `Configuration.services(without:)`.
  init(
    configuration: Configuration, withServices: Bool, holds: [Int: Set<CheckGroup>] = [:], absent: Set<Int> = []
  ) {
    self.configuration = configuration
    self.absent = absent
    let verdicts = Verdicts(configuration.verify)
    self.verdicts = verdicts
    self.holds = withServices ? holds.mapValues { $0.filter(verdicts.wants) } : [:]
    preparations = self.holds.mapValues { _ in .waiting }
    for group in CheckGroup.allCases { checks[group] = verdicts.wants(group) ? .waiting : .done }
    services = configuration.services.indices.map { withServices && !absent.contains($0) ? .waiting : .done }
  }

  /// Marks as begun and returns the doors to prepare. With a door begin the checks that its units make.
  mutating func beginDoors() -> [Int] {
    let doors = preparations.keys.sorted().filter { preparations[$0] == .waiting }
    let made = doors.flatMap { holds[$0] ?? [] }
    for index in doors { preparations[index] = .going }
    for group in made { checks[group] = .going }
    going += doors.count + made.count
    return doors
  }

  /// Marks as begun and returns what may begin.
  mutating func begin() -> Round {
    let round = Round(
      services: services.indices.filter { services[$0] == .waiting && mayBegin(service: $0) },
      checks: CheckGroup.allCases.filter { group in
        checks[group] == .waiting && !isMadeByDoor(group) && group.after.allSatisfy { checks[$0] == .done }
      })
    for index in round.services { services[index] = .going }
    for group in round.checks { checks[group] = .going }
    going += round.services.count + round.checks.count
    return round
  }

  mutating func ended(_ group: CheckGroup) {
    checks[group] = .done
    going -= 1
  }

  mutating func ended(service index: Int) {
    services[index] = .done
    going -= 1
  }

  /// It was only asked, and is down.
  mutating func isDown(service index: Int) {
    ended(service: index)
    down.insert(index)
  }

  /// The service that this one waits for in vain, if it has not begun.
  func obstacle(of service: Int) -> Int? {
    guard services[service] == .waiting else { return nil }
    return services.indices.first {
      (down.contains($0) || services[$0] == .waiting) && configuration.waits(service, for: $0)
    }
  }

  mutating func ended(door index: Int) {
    preparations[index] = .done
    going -= 1
  }

  var goingChecks: Int { checks.values.count { $0 == .going } }

  private func isMadeByDoor(_ group: CheckGroup) -> Bool { holds.values.contains { $0.contains(group) } }

  /// Whether no required check of the vault itself is open.
  private var vaultIsSound: Bool {
    CheckGroup.allCases.allSatisfy { checks[$0] == .done || $0.isTool || !verdicts.requires($0) }
  }

  private func mayBegin(service index: Int) -> Bool {
    let service = configuration.services[index]
    guard vaultIsSound, preparations[index] ?? .done == .done else { return false }
    if service.isDoor && !CheckGroup.allCases.allSatisfy({ checks[$0] == .done || !verdicts.requires($0) }) {
      return false
    }
    return services.indices.allSatisfy { other in
      services[other] == .done && !down.contains(other) || !configuration.waits(index, for: other)
    }
  }
}
