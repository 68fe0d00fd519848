import Glibc
import Linux
import MailbootCore
import Systemd

/// Whoever uses one of several vaults on this machine.
final class UsersOfAllVaults: UsersPort {
  private let vaults: [HostUsers]
  /// Files and directories that the further vaults are kept in: where these lie in the first one, it is in use for them.
  private let containers: Set<String>

  init(_ configuration: Configuration, units: UnitControl, caller: Int32) {
    containers = Set(configuration.otherVaults.compactMap { $0.device.flatMap { resolvedPath($0) } })
    let services = VaultKinds.others(configuration).flatMap(\.watchedUnits).filter { $0.type == "service" }
    vaults = configuration.vaults.map { vault in
      let seen = configuration.seen(from: vault)
      return HostUsers(
        configuration: seen, kind: VaultKinds.make(seen), units: units, caller: caller,
        servers: Set(services.map(\.rawValue)))
    }
  }

  func look(withServices: Bool) throws(Failure) -> VaultUse {
    var all = VaultUse()
    for vault in vaults {
      let use = try vault.look(withServices: withServices)
      all.holders += use.holders.filter { holder in !all.holders.contains { $0.pid == holder.pid } }
      all.obstacles += use.obstacles.filter { obstacle in
        if case .loop(_, let file) = obstacle { !containers.contains(file) } else { !all.obstacles.contains(obstacle) }
      }
    }
    return all
  }

  func end(_ holders: [Holder]) throws(Failure) {
    for vault in vaults { try vault.end(holders) }
  }
}

/// Whoever uses one vault on this machine.
final class HostUsers: UsersPort {
  private let configuration: Configuration
  private let kind: any VaultKind
  private let units: UnitControl
  private let ending: ProcessEnding
  private let caller: Int32
  /// Units that show other vaults, which may be kept in this one; they end when those are closed.
  private let servers: Set<String>

  init(
    configuration: Configuration, kind: any VaultKind, units: UnitControl, caller: Int32, servers: Set<String> = []
  ) {
    self.servers = servers
    self.caller = caller
    self.kind = kind
    self.configuration = configuration
    self.units = units
    ending = ProcessEnding(reactor: units.reactor)
  }

  func look(withServices: Bool) throws(Failure) -> VaultUse {
    guard let table = MountTable.current() else {
      throw .system("/proc is not mounted: who uses the vault cannot be seen")
    }
    guard let device = kind.fileSystem(table).flatMap({ DeviceNumber($0) }) else { return VaultUse() }
    let holders = MountHolders(device: device, mountPoints: configuration.shownAt, caller: caller)
    // The service may be counting mail there; it lets go as soon as it sees that a run is at work.
    let inside = withServices ? [] : try serviceUnits().union([waitServiceUnit]).union(servers)
    let processes = holders.processes().filter { $0.unit.map { !inside.contains($0) } ?? true }
    return VaultUse(
      holders: processes,
      obstacles: MountHolders.obstacles(device: device, ours: configuration.shownAt, table: table))
  }

  func end(_ holders: [Holder]) throws(Failure) {
    guard let device = MountTable.current().flatMap(kind.fileSystem).flatMap({ DeviceNumber($0) }) else { return }
    let watch = MountHolders(device: device, mountPoints: configuration.shownAt, caller: caller)
    try ending.end(holders.map(\.pid)) { watch.isHolding($0) }
  }

  private let waitServiceUnit = "mailboot.service"

  /// The units that do the work of the configured services.
  private func serviceUnits() throws(Failure) -> Set<String> {
    var names: Set<String> = []
    for service in configuration.services {
      names.formUnion(try ServiceTask.working(UnitName(service.name), units).map(\.state.name.rawValue))
    }
    return names
  }
}

extension Configuration {
  /// Where the vault's file system is to be seen.
  var shownAt: [String] { [vault.mount] + binds.map(\.to) }
}
