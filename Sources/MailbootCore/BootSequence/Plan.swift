/// One line of `mailboot plan`: what a step would do from here.
public struct PlanEntry: Equatable, Sendable {
  public var step: String
  /// `unchanged` when it is so already.
  public var outcome: StepOutcome
  public var action: String

  public init(step: String, outcome: StepOutcome, action: String) {
    self.step = step
    self.outcome = outcome
    self.action = action
  }
}

/// What a plan says of opening and mounting a vault of one kind.
public struct VaultPlanWords: Equatable, Sendable {
  public var open: String
  public var alreadyOpen: String
  public var mount: String
  public var alreadyMounted: String

  public init(open: String, alreadyOpen: String, mount: String, alreadyMounted: String) {
    self.open = open
    self.alreadyOpen = alreadyOpen
    self.mount = mount
    self.alreadyMounted = alreadyMounted
  }
}

/// What `unlock` would do from here, in the order in which it would be done at the earliest.
/// - Parameters:
///   - words: how this kind of vault is opened and mounted.
///   - others: the same for the further vaults.
///   - holds: the services that can be held before they listen, by their place in the configuration.
public func plan(
  _ configuration: Configuration, _ observation: Observation, words: VaultPlanWords,
  others: [VaultPlanWords] = [], holds: Set<Int> = []
) -> [PlanEntry] {
  var entries: [PlanEntry] = []
  func add(_ step: String, done: Bool, _ action: String, already: String) {
    entries.append(
      PlanEntry(step: step, outcome: done ? .unchanged : .changed, action: done ? already : action))
  }
  let breakdown = if case .broken(let why) = observation.opening { why } else { String?.none }
  if let breakdown {
    add("clear", done: false, "stop the services and unmount what is left: \(breakdown)", already: "")
  }
  add("open", done: observation.opening.isOpen, words.open, already: words.alreadyOpen)
  add("mount", done: observation.vaultMounted, words.mount, already: words.alreadyMounted)
  for ((vault, other), words) in zip(zip(configuration.otherVaults, observation.others), others) {
    add(Step.openVault(vault.name).name, done: other.opening.isOpen, words.open, already: words.alreadyOpen)
    add(
      Step.mountVault(vault.name, on: vault.mount).name, done: other.isMounted, words.mount,
      already: words.alreadyMounted)
  }
  for (bind, mounted) in zip(configuration.binds, observation.bindsMounted) {
    add("bind \(bind.to)", done: mounted, "show \(bind.from) at \(bind.to)", already: "\(bind.from) is shown there")
  }
  let verdicts = Verdicts(configuration.verify)
  for group in CheckGroup.allCases where verdicts.wants(group) {
    let levels = group.checks.map { check in
      group.checks.count == 1
        ? configuration.verify.severity(of: check).rawValue
        : "\(check.rawValue) \(configuration.verify.severity(of: check).rawValue)"
    }
    entries.append(
      PlanEntry(step: "check \(group.rawValue)", outcome: .changed, action: levels.joined(separator: ", ")))
  }
  for index in configuration.services.indices where holds.contains(index) {
    let name = configuration.services[index].name
    entries.append(
      PlanEntry(
        step: Step.prepare(name).name, outcome: .changed,
        action: "start it, and hold it before it listens, beside the services behind it"))
  }
  for service in configuration.serviceOrder().order {
    let index = configuration.services.firstIndex(of: service) ?? 0
    let active = breakdown == nil && observation.services?[index].isActive ?? false
    var waits = service.after.isEmpty ? "" : ", after " + service.after.joined(separator: ", ")
    if !service.vaults.isEmpty { waits += ", when \(service.vaults.joined(separator: ", ")) is mounted" }
    let door = service.isDoor ? ", when everything else is ready" : ""
    let probe = service.probeText.map { ", until \($0) answers" } ?? ""
    add(
      service.name, done: active,
      (holds.contains(index) ? "let it listen" : "start") + (service.isDoor ? door : waits) + probe,
      already: "is running" + (service.probeText.map { "; \($0) is asked" } ?? ""))
  }
  return entries
}
