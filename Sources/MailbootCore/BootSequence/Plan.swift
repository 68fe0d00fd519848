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

/// What `unlock` would do from here, in the order in which it would be done at the earliest.
/// - Parameters:
///   - device: the resolved device of a closed vault.
///   - fstab: whether fstab has a line for the mount point.
public func plan(
  _ configuration: Configuration, _ observation: Observation, device: String?, fstab: Bool
) -> [PlanEntry] {
  let vault = configuration.vault
  var entries: [PlanEntry] = []
  func add(_ step: String, done: Bool, _ action: String, already: String) {
    entries.append(
      PlanEntry(step: step, outcome: done ? .unchanged : .changed, action: done ? already : action))
  }
  add(
    "open", done: observation.mapping != nil,
    "ask for the passphrase, open \(device ?? "the vault") as \(vault.mapping)", already: "\(vault.mapping) is open")
  add(
    "mount", done: observation.vaultMounted,
    fstab ? "mount \(vault.mount) by its line in /etc/fstab" : "check the file system, mount it on \(vault.mount)",
    already: "\(vault.mount) is mounted")
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
  for service in configuration.serviceOrder().order {
    let index = configuration.services.firstIndex(of: service) ?? 0
    let active = observation.services?[index].isActive ?? false
    let waits = service.after.isEmpty ? "" : ", after " + service.after.joined(separator: ", ")
    let door = service.isDoor ? ", when everything else is ready" : ""
    let probe = service.probeText.map { ", until \($0) answers" } ?? ""
    add(
      service.name, done: active, "start" + (service.isDoor ? door : waits) + probe,
      already: "is running" + (service.probeText.map { "; \($0) is asked" } ?? ""))
  }
  return entries
}
