/// Where the vaults of a configuration stand, for messages.
struct VaultOrigins {
  struct Place {
    /// The path of its table.
    var key: String
    var origin: Origin
    var device: Origin
  }

  /// One for each vault, the first one in front; empty: no file says anything of one.
  var places: [Place] = []
}

extension Configuration {
  /// `[vault]`, or `[[vault]]` with the first one in front, see `ConfigurationNode.layered`.
  mutating func readVaults(_ top: inout TableReader) -> VaultOrigins {
    var origins = VaultOrigins()
    guard let node = top.node("vault") else { return origins }
    guard case .array(let items) = node.value else {
      top.table("vault") { table in
        vault.read(&table, isFirst: true)
        origins.places = [Self.place(&table, at: node)]
      }
      return origins
    }
    for (index, item) in items.enumerated() {
      var table = TableReader(item, path: "vault[\(index + 1)]")
      guard table.issues.isEmpty else {
        top.issues += table.issues
        continue
      }
      origins.places.append(Self.place(&table, at: item))
      if index == 0 {
        vault.read(&table, isFirst: true)
      } else {
        let named: String?
        if case .string(let text)? = table.node("name")?.value { named = text } else { named = nil }
        var further = Vault(further: named ?? "")
        further.read(&table, isFirst: false)
        _ = table.require("name", named, expected: "a name such as \"backup\"")
        otherVaults.append(further)
      }
      top.issues += table.finish()
    }
    return origins
  }

  private static func place(_ table: inout TableReader, at node: ConfigurationNode) -> VaultOrigins.Place {
    VaultOrigins.Place(key: table.path, origin: node.origin, device: (table.node("device") ?? node).origin)
  }

  /// What two vaults cannot share, and what is wrong with one of them.
  func brokenVaults(_ origins: VaultOrigins, root: ConfigurationNode) -> [ConfigurationIssue] {
    var issues: [ConfigurationIssue] = []
    func place(_ index: Int) -> VaultOrigins.Place {
      index < origins.places.count
        ? origins.places[index] : VaultOrigins.Place(key: "vault", origin: root.origin, device: root.origin)
    }
    for (index, vault) in vaults.enumerated() {
      let here = place(index)
      issues += vault.brokenDirectory(here.device, key: "\(here.key).device")
      func complain(_ key: String, _ message: String) {
        issues.append(ConfigurationIssue(origin: here.origin, key: "\(here.key).\(key)", message: message))
      }
      if vault.device == nil, index > 0 && vault.type != .plain || vault.kind.isForeign {
        issues.append(
          ConfigurationIssue(
            origin: here.origin, key: "\(here.key).device", message: "is missing",
            expected: "a path, \"UUID=…\" or \"LABEL=…\": only a first vault of LUKS or gocryptfs is looked for"))
      }
      for other in vaults[..<index] {
        if other.name == vault.name { complain("name", "\"\(vault.name)\" is there twice") }
        if other.mount == vault.mount {
          complain("mount", "\(vault.mount) is the mount point of \(other.name) and of \(vault.name)")
        }
        if let mapping = vault.mappingName, mapping == other.mappingName {
          complain("mapping", "\"\(mapping)\" is the mapping of \(other.name) and of \(vault.name)")
        }
        if let device = vault.shownDevice, device == other.shownDevice {
          complain("device", "\(device) is the device of \(other.name) and of \(vault.name)")
        }
      }
    }
    return issues
  }

  /// Services that wait for a vault that there is not.
  func unknownVaults(_ origin: (Int) -> Origin) -> [ConfigurationIssue] {
    let names = vaults.map(\.name)
    return services.enumerated().flatMap { index, service in
      service.vaults.filter { !names.contains($0) }.map { name in
        ConfigurationIssue(
          origin: origin(index), key: "service[\(index + 1)].vaults", message: "\"\(name)\" is not a vault here",
          expected: "names from " + names.joined(separator: ", "))
      }
    }
  }
}
