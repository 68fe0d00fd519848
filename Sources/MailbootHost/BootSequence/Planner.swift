import MailbootCore
import Systemd

/// `mailboot plan`: looks, and changes nothing.
public struct Planner {
  private let configuration: Configuration
  private let units: UnitControl
  private let worker: Worker

  public init(configuration: Configuration, reactor: Reactor) throws(Failure) {
    self.configuration = configuration
    worker = try Worker()
    units = try UnitControl(reactor: reactor)
  }

  /// - Throws: what `unlock` would fail with before it asks for the passphrase.
  public func plan() throws(Failure) -> [PlanEntry] {
    try Preflight(configuration: configuration, units: units).checkUnits()
    let kind = VaultKinds.make(configuration)
    let tools = VaultTools(worker: worker, units: units, deviceTimeout: configuration.unlock.deviceTimeout)
    let observer = Observer(configuration, kind: kind)
    var observation = try observer.storage()
    do { observation.services = try observer.services(units.manager) } catch { throw Failure(error) }
    var device: String?
    if observation.opening.isOpen {
      try kind.checkOpen(tools)
    } else {
      device = try kind.checkClosed(tools, byToken: false)
    }
    return MailbootCore.plan(
      configuration, observation, words: kind.planWords(device: device),
      others: zip(configuration.otherVaults, observer.others).map { $1.planWords(device: $0.shownDevice) },
      holds: try holds())
  }

  /// The doors that `unlock` would start early and hold.
  private func holds() throws(Failure) -> Set<Int> {
    let services = HostServices(configuration: configuration, units: units, worker: worker, mayRollBack: false)
    var holds: Set<Int> = []
    for index in configuration.services.indices where configuration.services[index].isDoor {
      if try services.hold(of: index) != nil { holds.insert(index) }
    }
    return holds
  }
}
