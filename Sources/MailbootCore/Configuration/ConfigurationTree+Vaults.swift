extension ConfigurationNode {
  /// Lays the file of a configuration over what the files before it say. Unlike every other array, `[[vault]]` is merged, by name.
  ///
  /// `[vault]` is the first vault. Of `[[vault]]` it is the one named like it ("vault" where it has no name), else the first in the file
  /// that comes first of all.
  /// - Parameter earlier: nil: this is the main file.
  public func layered(over earlier: ConfigurationNode?) -> ConfigurationNode {
    guard case .table(var entries) = value else { return self }
    guard let earlier, case .table(let before) = earlier.value else {
      if let listed = entries["vault"], case .array(let items) = listed.value {
        entries["vault"] = ConfigurationNode(.array(Self.firstInFront(items)), at: listed.origin)
      }
      return ConfigurationNode(.table(entries), at: origin)
    }
    guard let later = entries.removeValue(forKey: "vault") else { return earlier.merged(with: self) }
    var rest = before
    let known = rest.removeValue(forKey: "vault")
    var merged = ConfigurationNode(.table(rest), at: earlier.origin).merged(
      with: ConfigurationNode(.table(entries), at: origin))
    if case .table(var all) = merged.value {
      all["vault"] = Self.vaults(known, later)
      merged.value = .table(all)
    }
    return merged
  }

  private static func vaults(_ known: ConfigurationNode?, _ later: ConfigurationNode) -> ConfigurationNode {
    var vaults: [ConfigurationNode]
    switch known?.value {
    case .array(let items)?: vaults = items
    case nil: vaults = []
    default: vaults = known.map { [$0] } ?? []
    }
    switch later.value {
    case .table:
      if vaults.isEmpty { return later }
      vaults[0] = vaults[0].vault(merged: later)
    case .array(let items):
      // Somewhere else than here nobody has said anything about the first one.
      if vaults.isEmpty { vaults = [ConfigurationNode(.table([:]), at: later.origin)] }
      for item in items {
        let name = item.vaultName
        if let index = vaults.indices.first(where: { (vaults[$0].vaultName ?? ($0 == 0 ? "vault" : nil)) == name }),
          name != nil
        {
          vaults[index] = vaults[index].vault(merged: item)
        } else {
          vaults.append(item)
        }
      }
    default: return later
    }
    return vaults.count == 1 ? vaults[0] : ConfigurationNode(.array(vaults), at: later.origin)
  }

  private static func firstInFront(_ items: [ConfigurationNode]) -> [ConfigurationNode] {
    guard let index = items.firstIndex(where: { $0.vaultName == "vault" }) else { return items }
    return [items[index]] + items[..<index] + items[(index + 1)...]
  }

  private var vaultName: String? {
    if case .table(let entries) = value, case .string(let name)? = entries["name"]?.value { name } else { nil }
  }

  /// What a later file says of the same vault. Of another kind it is a new one: only its name and its mount point stay.
  private func vault(merged later: ConfigurationNode) -> ConfigurationNode {
    guard case .table(var mine) = value, case .table(let theirs) = later.value else { return later }
    if case .string(let text)? = theirs["type"]?.value, let type = VaultType(rawValue: text), isOther(than: type) {
      mine = mine.filter { ["name", "mount"].contains($0.key) }
    }
    return ConfigurationNode(.table(mine), at: origin).merged(with: later)
  }

  /// Whether what is said here is meant for another kind of vault.
  private func isOther(than type: VaultType) -> Bool {
    guard case .table(let entries) = value else { return false }
    if case .string(let text)? = entries["type"]?.value { return text != type.rawValue }
    return !VaultType.allKeys.subtracting(type.keys).isDisjoint(with: entries.keys)
  }
}
