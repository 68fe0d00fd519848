import MailbootCore
import Systemd

/// Which units a host's configuration has guarded.
struct GuardedUnits {
  /// In the order of the configuration, each once; an instance under the name of its template.
  let names: [UnitName]
  /// Those of them, and their instances, that are running now.
  let running: [UnitName]
  /// Whether systemd has yet to read what one of them was made from.
  let needsReload: Bool

  /// Every service's own unit, all that is part of it (whether or not it does the work on this release: both can be started by hand),
  /// and the sockets, timers and paths that start one of these. A unit that does not exist is named too: its package may come later.
  init(_ configuration: Configuration, _ manager: SystemdManager) throws(BusError) {
    let services = configuration.services.map { UnitName($0.name) }
    let own = try manager.details(of: services)
    var found = own
    let parts = Set(own.values.flatMap { $0.consistsOf + workingUnits(of: $0) }).subtracting(services)
    if !parts.isEmpty {
      for (name, details) in try manager.details(of: Array(parts)) { found[name] = details }
    }
    var names: [UnitName] = []
    for service in services {
      guard let details = own[service] else {
        names.append(service)
        continue
      }
      let parts = details.consistsOf.sorted { $0.rawValue < $1.rawValue }
      let triggers = ([details] + parts.compactMap { found[$0] }).flatMap(\.triggeredBy)
      names += [details.state.name] + parts + triggers.sorted { $0.rawValue < $1.rawValue }
    }
    var seen: Set<UnitName> = []
    self.names = names.map { $0.template ?? $0 }.filter { seen.insert($0).inserted }
    running = found.values.filter { $0.state.isActive }.map(\.state.name).sorted { $0.rawValue < $1.rawValue }
    needsReload = found.values.contains { $0.needsReload }
  }
}
