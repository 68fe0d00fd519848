/// Several vaults: which service and which directory belongs to which.
extension Configuration {
  /// The first and the further ones.
  public var vaults: [Vault] { [vault] + otherVaults }

  /// The same host as it is seen from one of its vaults, for whatever looks at one vault alone.
  public func seen(from vault: Vault) -> Configuration {
    var configuration = self
    configuration.vault = vault
    configuration.otherVaults = []
    return configuration
  }

  /// As if one vault were the only one, with what waits for it: for work on that vault alone.
  /// - Returns: nil when there is none of that name.
  public func selecting(vault name: String) -> Configuration? {
    guard let chosen = vaults.first(where: { $0.name == name }) else { return nil }
    guard chosen.name != vault.name else { return self }
    var configuration = seen(from: chosen)
    configuration.services = services.filter { $0.vaults.contains(name) }
    let kept = Set(configuration.services.map(\.name))
    for index in configuration.services.indices {
      configuration.services[index].after.removeAll { !kept.contains($0) }
      configuration.services[index].vaults = []
    }
    configuration.binds = binds.filter { otherVault(of: $0.from)?.name == name }
    return configuration
  }

  /// The further vault that a path lies in; nil: the first, or none.
  public func otherVault(of path: String) -> Vault? {
    let holding = vaults.filter { (path + "/").hasPrefix($0.mount + "/") }
    // One may be mounted inside another.
    let nearest = holding.max { $0.mount.utf8.count < $1.mount.utf8.count }
    return nearest.flatMap { $0.name == vault.name ? nil : $0 }
  }

  /// The services that cannot be started while these vaults are not mounted, by their places: those that name one of them, and those that
  /// wait for one of those.
  public func services(without closed: Set<String>) -> Set<Int> {
    var found = Set(services.indices.filter { !closed.isDisjoint(with: services[$0].vaults) })
    while true {
      let names = Set(found.map { services[$0].name })
      let further = services.indices.filter { !found.contains($0) && !names.isDisjoint(with: services[$0].after) }
      if further.isEmpty { return found }
      found.formUnion(further)
    }
  }
}

/// A further vault that a run has left closed.
public struct ClosedVault: Codable, Equatable, Sendable {
  public var name: String
  /// In words, without a verb: for behind a colon.
  public var why: String
  /// Whether a passphrase could open it.
  public var wantsPassphrase: Bool
  /// Services that are not started for that reason.
  public var services: [String]

  public init(name: String, why: String, wantsPassphrase: Bool, services: [String]) {
    self.name = name
    self.why = why
    self.wantsPassphrase = wantsPassphrase
    self.services = services
  }

  /// `the vault backup stays closed: its passphrase is another one; not started: borg`.
  public var summary: String {
    "the vault \(name) stays closed: \(why)"
      + (services.isEmpty ? "" : "; not started: " + services.joined(separator: ", "))
  }
}
