import MailbootCore
import Systemd

/// Which units a host's configuration has guarded.
struct GuardedUnits {
  /// In the order of the configuration, each once; an instance under the name of its template.
  let names: [UnitName]
  /// Those of them that take mail from the world.
  let doors: Set<UnitName>
  /// The further vaults that units wait for, by name.
  let vaults: [UnitName: Set<String>]
  /// Those of them, and their instances, that are running now.
  let running: [UnitName]
  /// Whether systemd has yet to read what one of them was made from.
  let needsReload: Bool

  /// Every service's own unit, all that is part of it (whether or not it does the work on this release: both can be started by hand),
  /// and the sockets, timers and paths that start one of these. A service that does not exist is named too: its package may come later.
  init(_ configuration: Configuration, _ manager: SystemdManager) throws(BusError) {
    let services = configuration.services.map { UnitName($0.name) }
    let own = try manager.details(of: services)
    // A unit knows what triggers it only as long as that is loaded, and a disabled socket is not: those of the same name are asked for.
    let namesakes = own.values.flatMap { Self.namesakes(of: $0.state.name) }
    let others = Set(own.values.flatMap(\.consistsOf) + namesakes).subtracting(services)
    let further = others.isEmpty ? [:] : try manager.details(of: Array(others))
    var names: [UnitName] = []
    var doors: Set<UnitName> = []
    var vaults: [UnitName: Set<String>] = [:]
    for (index, service) in services.enumerated() {
      let before = names.count
      defer {
        if configuration.services[index].isDoor { doors.formUnion(names[before...]) }
        for name in names[before...] {
          vaults[name.template ?? name, default: []].formUnion(configuration.services[index].vaults)
        }
      }
      guard let details = own[service] else {
        names.append(service)
        continue
      }
      let parts = details.consistsOf.sorted { $0.rawValue < $1.rawValue }
      let triggers = ([details] + parts.compactMap { further[$0] }).flatMap(\.triggeredBy)
      let namesakes = Self.namesakes(of: details.state.name).filter { further[$0]?.state.loadState == "loaded" }
      names += [details.state.name] + parts + (triggers + namesakes).sorted { $0.rawValue < $1.rawValue }
    }
    self.vaults = vaults
    var seen: Set<UnitName> = []
    self.doors = Set(doors.map { $0.template ?? $0 })
    self.names = names.map { $0.template ?? $0 }.filter { seen.insert($0).inserted }
    let all = Array(own.values) + Array(further.values)
    running = Set(all.filter { $0.state.isActive }.map(\.state.name)).sorted { $0.rawValue < $1.rawValue }
    needsReload = all.contains { $0.needsReload }
  }

  /// Whether the unit, or the template that it is an instance of, takes mail from the world.
  func isDoor(_ unit: UnitName) -> Bool { doors.contains(unit.template ?? unit) }

  /// The units that would start this one by default.
  private static func namesakes(of unit: UnitName) -> [UnitName] {
    guard unit.type == "service" else { return [] }
    return ["socket", "timer", "path"].map { UnitName(String(unit.rawValue.dropLast("service".count)) + $0) }
  }
}
