extension Configuration {
  /// Decodes the merged files. Collects every issue instead of stopping at the first.
  /// - Throws: `ConfigurationError` with at least one issue.
  public init(decoding root: ConfigurationNode) throws(ConfigurationError) {
    self.init()
    var top = TableReader(root, path: "")
    let vaultOrigins = readVaults(&top)
    if let listed = top.tables("bind", Bind.init(reading:)) { binds = listed }
    top.table("verify") { verify.read(&$0) }
    let serviceOrigins = top.node("service")
    if let listed = top.tables("service", Service.init(reading:)) { services = listed }
    top.table("unlock") { unlock.read(&$0) }
    top.table("notify") { notify.read(&$0) }
    top.table("monitoring") { monitoring.read(&$0) }
    top.table("wait") { wait.read(&$0) }
    top.table("accounts") { accounts.read(&$0) }
    var issues = top.finish()
    if issues.isEmpty {
      issues =
        brokenVaults(vaultOrigins, root: root) + brokenRules(services: serviceOrigins, root: root)
        + brokenBinds(top.node("bind"), root: root)
    }
    if !issues.isEmpty { throw ConfigurationError(issues: issues) }
  }

  /// What no single key shows: services that wait for unknown ones or for each other, names used twice, nothing to start.
  private func brokenRules(services node: ConfigurationNode?, root: ConfigurationNode) -> [ConfigurationIssue] {
    var issues: [ConfigurationIssue] = []
    var items: [ConfigurationNode] = []
    if case .array(let nodes)? = node?.value { items = nodes }
    func origin(_ index: Int) -> Origin { index < items.count ? items[index].origin : root.origin }
    let names = services.map(\.name)
    if services.isEmpty, let node {
      issues.append(
        ConfigurationIssue(
          origin: node.origin, key: "service", message: "lists no service", expected: "at least one [[service]]"))
    }
    for (index, service) in services.enumerated() {
      if names.firstIndex(of: service.name) != index {
        issues.append(
          ConfigurationIssue(
            origin: origin(index), key: "service[\(index + 1)].name", message: "\"\(service.name)\" is there twice"))
      }
      for other in service.after where !names.contains(other) {
        issues.append(
          ConfigurationIssue(
            origin: origin(index), key: "service[\(index + 1)].after", message: "\"\(other)\" is not a service here",
            expected: "names from " + names.joined(separator: ", ")))
      }
    }
    issues += unknownVaults(origin)
    if issues.isEmpty, let stuck = serviceOrder().cycle {
      let index = names.firstIndex(of: stuck[0]) ?? 0
      issues.append(
        ConfigurationIssue(
          origin: origin(index), key: "service[\(index + 1)].after",
          message: "these wait for each other: " + stuck.joined(separator: ", ")))
    }
    return issues
  }

  /// Directories that would be mounted over the vault or over each other.
  private func brokenBinds(_ node: ConfigurationNode?, root: ConfigurationNode) -> [ConfigurationIssue] {
    guard case .array(let items)? = node?.value else { return [] }
    return zip(items, binds).enumerated().compactMap { index, bind in
      let (item, bind) = bind
      let message: String
      if let vault = vaults.first(where: { $0.mount == bind.to }) {
        message =
          "\"\(bind.to)\" is \(vault.name == self.vault.name ? "the vault" : "the vault \(vault.name)")'s own mount point"
      } else if binds.firstIndex(where: { $0.to == bind.to }) != index {
        message = "\"\(bind.to)\" is there twice"
      } else {
        return nil
      }
      return ConfigurationIssue(origin: item.origin, key: "bind[\(index + 1)].to", message: message)
    }
  }

  /// The services in an order that respects `after`, or the ones that wait for each other.
  public func serviceOrder() -> (order: [Service], cycle: [String]?) {
    var order: [Service] = []
    var rest = services
    while !rest.isEmpty {
      let done = Set(order.map(\.name))
      guard let index = rest.firstIndex(where: { $0.after.allSatisfy(done.contains) }) else {
        return (order, rest.map(\.name))
      }
      order.append(rest.remove(at: index))
    }
    return (order, nil)
  }
}

extension Configuration.Vault {
  /// - Parameter isFirst: `key-file` is a further vault's; the first one's is in `[wait]`.
  mutating func read(_ table: inout TableReader, isFirst: Bool) {
    name =
      table.string("name", expected: "a name of a-z, 0-9 and - up to 32 long, such as \"backup\"", where: Self.isName)
      ?? name
    type = table.choice("type", VaultType.self)
    refuseOthersKeys(&table)
    device = table.device("device", example: "/dev/vdb") ?? device
    mapping =
      table.string("mapping", expected: "a name of letters, digits and # + - . : = @ _ up to 127 long") { text in
        // What device-mapper and udev take unescaped.
        let safe = text.utf8.allSatisfy {
          ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) || "#+-.:=@_".utf8.contains($0)
        }
        return safe && (1...127).contains(text.utf8.count) && text != "." && text != ".." && text != "control"
      } ?? mapping
    mount =
      table.string(
        "mount", expected: "an absolute path other than \"/\", such as \"/vault\"", where: TableReader.isMountPoint
      )
      .map(normalised) ?? mount
    options = table.strings("options", expected: "an array of mount options such as [\"nosuid\"]") ?? options
    filesystem =
      table.string("filesystem", expected: "a file system type such as \"ext4\"") { text in
        !text.isEmpty && text.utf8.allSatisfy { ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) }
      } ?? filesystem
    header = table.path("header", example: "/root/vault.header") ?? header
    pim = table.integer("pim", in: 1...2_000_000) ?? pim
    if isFirst {
      if let node = table.node("key-file") {
        table.note(node, "key-file", "is for further vaults", expected: "`key-file` in [wait] opens the first one")
      }
    } else {
      keyFile = table.path("key-file", example: "/vault/keys/backup.key") ?? keyFile
    }
  }

  /// What serves as a metric's label, a unit's name and a file's.
  static func isName(_ text: String) -> Bool {
    let isPlain = text.utf8.allSatisfy {
      ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: "-")
    }
    return isPlain && (1...32).contains(text.utf8.count) && !text.hasPrefix("-")
  }
}

extension Configuration.Vault {
  /// What means nothing for the type named beside it was meant for another vault.
  private func refuseOthersKeys(_ table: inout TableReader) {
    guard let type else { return }
    for key in VaultType.allKeys.subtracting(type.keys).sorted() {
      guard let node = table.node(key) else { continue }
      let rest =
        type.keys.isEmpty ? "only `mount`" : "`mount`, " + type.keys.sorted().map { "`\($0)`" }.joined(separator: ", ")
      table.note(node, key, "means nothing for type \"\(type.rawValue)\"", expected: rest)
    }
  }

  /// gocryptfs reads a directory, and neither it nor its mount may lie in the other.
  func brokenDirectory(_ origin: Origin, key: String) -> [ConfigurationIssue] {
    guard type == .gocryptfs, let directory = shownDevice else { return [] }
    let (message, expected): (String, String?)
    if !directory.hasPrefix("/") {
      (message, expected) = ("\"\(directory)\" is no directory", "an absolute path such as \"/vault_crypt\"")
    } else if contains(directory, mount) || contains(mount, directory) {
      (message, expected) = ("\"\(directory)\" and the mount point \"\(mount)\" lie in each other", nil)
    } else {
      return []
    }
    return [ConfigurationIssue(origin: origin, key: key, message: message, expected: expected)]
  }

  private func contains(_ upper: String, _ lower: String) -> Bool {
    (normalised(lower) + "/").hasPrefix(normalised(upper) + "/")
  }
}

/// Without doubled and trailing slashes, as the mount table has it.
private func normalised(_ path: String) -> String {
  "/" + path.split(separator: "/").joined(separator: "/")
}

extension Configuration.Bind {
  fileprivate init?(reading table: inout TableReader) {
    let from = table.path("from", example: "/vault/www")
    let to = table.string(
      "to", expected: "an absolute path such as \"/var/www/private\"", where: TableReader.isMountPoint)
    // Both, so that both are complained about.
    let required = (
      table.require("from", from, expected: "the directory inside the vault"),
      table.require("to", to, expected: "the directory to mount it on")
    )
    guard let from = required.0, let to = required.1 else { return nil }
    self.init(from: normalised(from), to: normalised(to))
  }
}

extension Configuration.Verify {
  fileprivate mutating func read(_ table: inout TableReader) {
    if let named = table.path("database", example: "/vault/maildb/maildb.sqlite3") {
      (database, namesDatabase) = (named, true)
    }
    dkimDirectory = table.path("dkim-directory", example: "/vault/dkim") ?? dkimDirectory
    dkimSelector =
      table.string("dkim-selector", expected: "a selector such as \"202001\"") { text in
        !text.isEmpty && !text.contains("/") && !text.contains(" ")
      } ?? dkimSelector
    dkimUser = table.string("dkim-user", expected: "a user name such as \"_rspamd\"") ?? dkimUser
    certificate = table.path("certificate", example: "/etc/letsencrypt/live/HOST/fullchain.pem")
    certificateKey = table.path("certificate-key", example: "/etc/letsencrypt/live/HOST/privkey.pem")
    hostName = table.string("host-name", expected: "a host name such as \"mail.example.org\"")
    let percent = "a percentage such as \"15%\""
    if let text = table.string("free-space-warning", expected: percent, where: { Self.percent($0) != nil }) {
      freeSpacePercent = Self.percent(text) ?? freeSpacePercent
    }
    table.table("severity") { severities in
      for check in CheckName.allCases {
        if let level = severities.choice(check.rawValue, Severity.self) { severity[check] = level }
      }
    }
  }

  private static func percent(_ text: String) -> Int? {
    guard text.hasSuffix("%"), let number = Int(text.dropLast()), (0...99).contains(number) else { return nil }
    return number
  }
}

extension Configuration.Service {
  fileprivate init?(reading table: inout TableReader) {
    let name = table.string("name", expected: "a unit's name such as \"postfix\"") { text in
      let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
      return isPlain && (1..<250).contains(text.utf8.count) && !text.hasPrefix(".")
    }
    let after = table.strings("after", expected: "an array of service names such as [\"rspamd\"]") ?? []
    let vaults = table.strings("vaults", expected: "an array of vaults' names such as [\"backup\"]") ?? []
    var probe: ProbeURL?
    let probeNode = table.node("probe")
    let text = table.string("probe", expected: "a URL such as \"smtp://127.0.0.1:25\"")
    if let text, let probeNode {
      do {
        probe = try ProbeURL(parsing: text)
      } catch {
        table.note(probeNode, "probe", "\"\(text)\": \(error)", expected: "a URL such as \"smtp://127.0.0.1:25\"")
      }
    }
    guard let name = table.require("name", name, expected: "a unit's name such as \"postfix\"") else { return nil }
    self.init(name: name, after: after, vaults: vaults, probe: probe, probeText: text)
  }
}

extension Configuration.Unlock {
  fileprivate mutating func read(_ table: inout TableReader) {
    attempts = table.integer("attempts", in: 1...100) ?? attempts
    onFailure = table.choice("on-failure", Configuration.OnFailure.self) ?? onFailure
    serviceTimeout = table.integer("service-timeout", in: 1...3600) ?? serviceTimeout
    deviceTimeout = table.integer("device-timeout", in: 0...3600) ?? deviceTimeout
  }
}
