import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd
import Text

/// Looks at the machine: the vault, the mount table, systemd.
struct Observer {
  let configuration: Configuration
  let kind: any VaultKind
  let others: [any VaultKind]

  init(_ configuration: Configuration) {
    self.init(configuration, kind: VaultKinds.make(configuration))
  }

  init(_ configuration: Configuration, kind: any VaultKind) {
    self.configuration = configuration
    self.kind = kind
    others = VaultKinds.others(configuration)
  }

  /// Everything but the services.
  func storage() throws(Failure) -> Observation {
    guard let mounts = MountTable.current() else {
      throw .system("/proc is not mounted: the mount table cannot be read")
    }
    let (opening, mount) = try kind.observe(mounts)
    let first = ObservedVault(opening: opening, mount: mount)
    var further: [ObservedVault] = []
    for kind in others {
      let (opening, mount) = try kind.observe(mounts)
      further.append(ObservedVault(opening: opening, mount: mount))
    }
    return Observation(
      opening: opening, mount: mount, others: further,
      bindsMounted: configuration.binds.map { bind in
        let place = configuration.otherVault(of: bind.from).flatMap { other in
          configuration.otherVaults.firstIndex { $0.name == other.name }
        }
        return Self.isMounted(bind, of: place.map { further[$0] } ?? first, mounts)
      }, services: nil)
  }

  /// Below an automount point that waits for the vault everything would wait, and what does not answer is not asked: then the mount table
  /// has to do.
  private static func isMounted(
    _ bind: Configuration.Bind, of vault: ObservedVault, _ mounts: MountTable
  ) -> Bool {
    if vault.opening.breakdown == nil && vault.mount != nil { return isSame(bind.from, bind.to) }
    return vault.opening.vault?.device != nil && mounts.mount(on: bind.to)?.device == vault.opening.vault?.device
  }

  /// Whether two paths are the same directory, which is what a bind mount makes of them.
  static func isSame(_ left: String, _ right: String) -> Bool {
    guard let left = fileStatus(left), let right = fileStatus(right) else { return false }
    return left.st_dev == right.st_dev && left.st_ino == right.st_ino
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
    let details = try manager.details(of: names, withTheirType: false)
    let working = names.map { name in details[name].map(workingUnits(of:)) ?? [name] }
    let known = Set(details.values.map(\.state.name))
    let further = Set(working.joined()).subtracting(known).subtracting(names)
    var all = details
    if !further.isEmpty {
      for (name, detail) in try manager.details(of: Array(further), withTheirType: false) { all[name] = detail }
    }
    for detail in Array(all.values) { all[detail.state.name] = detail }
    return zip(configuration.services, working).map { service, units in
      let found = units.compactMap { all[$0] }
      let started = found.map(\.activeEnterMicroseconds).max() ?? 0
      return Self.status(service, units.map { ($0, all[$0]?.state) }, started: started)
    }
  }
}
