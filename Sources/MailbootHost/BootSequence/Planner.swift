import Linux
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
    let preflight = Preflight(configuration: configuration, worker: worker, units: units)
    try preflight.checkUnits()
    let observer = Observer(configuration: configuration)
    var observation = try observer.storage()
    do { observation.services = try observer.services(units.manager) } catch { throw Failure(error) }
    var device: String?
    if let mapping = observation.mapping {
      try preflight.checkOpen(mapping)
    } else {
      device = try preflight.checkClosed()
    }
    let fstab = readSmallText("/etc/fstab").flatMap { FstabEntry.line(for: configuration.vault.mount, in: $0) } != nil
    return MailbootCore.plan(configuration, observation, device: device, fstab: fstab)
  }
}
