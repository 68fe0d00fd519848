import MailbootCore
import Systemd

/// What can be known to fail of the services before anybody types a passphrase; of the vault its kind knows it.
struct Preflight {
  let configuration: Configuration
  let units: UnitControl

  /// Every configured unit is there and may be started.
  func checkUnits() throws(Failure) {
    let states = try units.states(of: configuration.services.map { UnitName($0.name) })
    for service in configuration.services {
      let unit = UnitName(service.name)
      guard let own = states[unit] else { throw .service(name: service.name, .missing(unit: unit.rawValue)) }
      if own.isMasked { throw .service(name: service.name, .masked(unit: unit.rawValue)) }
      guard own.loadState == "loaded" else {
        throw .service(name: service.name, .missing(unit: unit.rawValue))
      }
    }
  }
}
