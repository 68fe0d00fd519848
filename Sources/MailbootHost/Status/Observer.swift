import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd
import Text

/// Looks at the machine: device-mapper, mount table, systemd.
struct Observer {
  let configuration: Configuration

  /// Everything but the services.
  func storage() throws(Failure) -> Observation {
    guard DeviceMapper.isVisible() else { throw .system("/sys is not mounted: the vault's state cannot be seen") }
    guard let mounts = MountTable.current() else {
      throw .system("/proc is not mounted: the mount table cannot be read")
    }
    return Observation(
      mapping: DeviceMapper.mapping(named: configuration.vault.mapping),
      mount: mounts.status(of: configuration.vault.mount),
      bindsMounted: configuration.binds.map { Self.isSame($0.from, $0.to) }, services: nil)
  }

  /// Whether two paths are the same directory, which is what a bind mount makes of them.
  static func isSame(_ left: String, _ right: String) -> Bool {
    guard let left = fileStatus(left), let right = fileStatus(right) else { return false }
    return left.st_dev == right.st_dev && left.st_ino == right.st_ino
  }

  /// The services in one message to systemd, which answers each in some 15 ms when emulated; that is what `status` is made of.
  ///
  /// Which units to ask for is noted, as long as systemd has not read its unit files anew since. When a unit started is the age of
  /// the link that systemd makes for the journal at each start.
  func services(_ manager: SystemdManager, known: [WorkingUnits?]) throws(BusError) -> [ServiceStatus] {
    guard let noted = current(known) else { return try services(manager) }
    let units = configuration.services.map { (noted.byService[$0.name] ?? []).map { UnitName($0) } }
    let states = try manager.states(of: Array(units.joined()))
    return zip(configuration.services, units).map { service, units in
      let started = units.map { startedMicroseconds($0) }
      return Self.status(
        service, units.map { ($0, states[$0]) }, started: started.contains(nil) ? nil : started.compactMap(\.self).max()
      )
    }
  }

  /// What of that still holds.
  func current(_ known: [WorkingUnits?]) -> WorkingUnits? {
    guard let stamp = unitFilesStamp() else { return nil }
    return known.lazy.compactMap(\.self).first { known in
      known.stamp == stamp && configuration.services.allSatisfy { known.byService[$0.name]?.isEmpty == false }
    }
  }

  /// Which units do the services' work: what is known if it still holds, else what systemd says; nil when it cannot be asked.
  func workingUnits(_ manager: SystemdManager, known: [WorkingUnits?]) -> WorkingUnits? {
    if let known = current(known) { return known }
    // The stamp first: unit files that are read anew in between make it stale, and then it counts for nothing.
    guard let stamp = unitFilesStamp(), let services = try? services(manager) else { return nil }
    return WorkingUnits(
      byService: services.reduce(into: [:]) { $0[$1.name] = $1.units.map(\.unit) }, stamp: stamp)
  }

  private static func status(
    _ service: Configuration.Service, _ units: [(name: UnitName, state: UnitState?)], started: UInt64?
  ) -> ServiceStatus {
    var status = ServiceStatus(
      name: service.name,
      units: units.map { name, state in
        UnitStatus(
          unit: (state?.name ?? name).rawValue,
          activeState: state.map { $0.isNotFound ? "not-found" : $0.activeState } ?? "unknown",
          subState: state?.subState ?? "unknown")
      }, activeSince: nil, startedMicroseconds: started ?? 0)
    if status.isActive, let started, started > 0 { status.activeSince = Double(started) / 1e6 }
    return status
  }

  /// The services with the units that do their work, in two round trips to systemd.
  func services(_ manager: SystemdManager) throws(BusError) -> [ServiceStatus] {
    let names = configuration.services.map { UnitName($0.name) }
    let details = try manager.details(of: names)
    let working = names.map { name in details[name].map(workingUnits(of:)) ?? [name] }
    let known = Set(details.values.map(\.state.name))
    let further = Set(working.joined()).subtracting(known).subtracting(names)
    var all = details
    if !further.isEmpty {
      for (name, detail) in try manager.details(of: Array(further)) { all[name] = detail }
    }
    for detail in Array(all.values) { all[detail.state.name] = detail }
    return zip(configuration.services, working).map { service, units in
      let found = units.compactMap { all[$0] }
      let started = found.map(\.activeEnterMicroseconds).max() ?? 0
      return Self.status(service, units.map { ($0, all[$0]?.state) }, started: started)
    }
  }
}

/// Changes whenever systemd has read its unit files: it makes its generators' directory anew then. Nil where there is none.
func unitFilesStamp() -> String? {
  guard let status = fileStatus("/run/systemd/generator") else { return nil }
  return "\(status.st_ino).\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
}

/// When a unit was last started, microseconds since 1970; nil when it leaves no trace.
private func startedMicroseconds(_ unit: UnitName) -> UInt64? {
  var status = stat()
  guard lstat("/run/systemd/units/invocation:\(unit.rawValue)", &status) == 0 else { return nil }
  return UInt64(clamping: status.st_mtim.tv_sec) * 1_000_000 + UInt64(clamping: status.st_mtim.tv_nsec) / 1000
}
