import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd

/// What can be known to fail before anybody types a passphrase, and before anything is changed.
struct Preflight {
  let configuration: Configuration
  let worker: Worker
  let units: UnitControl

  private var reactor: Reactor { units.reactor }

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

  /// The device to open, found and looked into.
  /// - Parameter byToken: whether a token is to open it.
  func checkClosed(byToken: Bool = false) throws(Failure) -> String {
    let vault = configuration.vault
    let device = try DeviceResolver(vault: vault, timeout: configuration.unlock.deviceTimeout).resolve(reactor)
    let summary = try inspect(device)
    if byToken && !summary.hasTokens { throw .vault(VaultFailure(.noToken, "there is none"), device: device) }
    if let available = availableMemoryKiB(), summary.derivationMemoryKiB > available {
      throw .vault(
        VaultFailure(
          .noMemory, "it needs \(summary.derivationMemoryKiB / 1024) MiB, and \(available / 1024) MiB are available"),
        device: device)
    }
    try checkMountPoint()
    return device
  }

  /// An open mapping of our name must be our vault.
  func checkOpen(_ mapping: MappingStatus) throws(Failure) {
    let vault = configuration.vault
    guard let uuid = mapping.luksUUID else {
      throw .vault(
        VaultFailure(.nameTaken, "\(vault.mapping) is no LUKS mapping (\(mapping.backing.joined(separator: ", ")))"),
        device: vault.mapping)
    }
    if mapping.backing.isEmpty {
      throw .vault(
        VaultFailure(.busy, "an emergency lock has taken its key away, and something still uses it"),
        device: "/dev/mapper/\(vault.mapping)")
    }
    // With nothing configured anywhere, the only LUKS device there is is the vault: the one that is open.
    guard let device = try DeviceResolver(vault: vault, timeout: 0).resolveNamed(reactor) else { return }
    if mapping.backing.contains(where: { resolvedPath($0) == resolvedPath(device) }) { return }
    // Between the two there may be other layers, of device-mapper too; a bare disk with the same UUID is a copy.
    let layered = mapping.backing.allSatisfy { resolvedPath($0)?.hasPrefix("/dev/dm-") ?? false }
    if layered, try inspect(device).uuid.lowercased() == uuid { return }
    throw .vault(
      VaultFailure(
        .nameTaken, "\(vault.mapping) is open on \(mapping.backing.joined(separator: ", ")), not on \(device)"),
      device: device)
  }

  private func inspect(_ device: String) throws(Failure) -> LUKSSummary {
    let request = InspectRequest(device: device, header: configuration.vault.header)
    switch try worker.ask(.inspect, request, as: InspectReply.self, reactor: reactor, timeout: 60) {
    case .luks(let summary): return summary
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }

  /// Nothing may lie in the bare directory, and nothing else be mounted there. A missing one is made later.
  private func checkMountPoint() throws(Failure) {
    let path = configuration.vault.mount
    if let mounted = MountTable.current()?.mount(on: path) {
      throw .mount(.occupied(by: mounted.source), path: path)
    }
    if access(path, F_OK) == 0 { try Mounts.prepare(path) }
  }
}
