import MailbootCore

/// Takes settings out of the variables of the Ansible role.
struct RoleImport {
  let variables: RoleVariables
  var adoption = Adoption()
  /// Found wanting in a way that nobody can decide but the administrator.
  var issues: [ConfigurationIssue] = []
  private var taken: Set<String> = []

  init(_ variables: RoleVariables) { self.variables = variables }

  mutating func run() throws(ConfigurationError) -> Adoption {
    for setting in RoleNames.settings { take(setting) }
    takeVaultType()
    takeRedisLimit()
    takeUsers()
    takeAliases("mail_aliases")
    takeAliases("mail_admin_aliases")
    listTheRest()
    adoption.changes = RoleNames.changes
    for (key, example) in [("mail_server_hostname", "mail.example.org"), ("admin_email", "alice@example.org")]
    where !adoption.found.contains(where: { $0.key == key }) {
      adoption.missing.append(.init(name: key, source: "", reason: "No variable says it; for example \"\(example)\"."))
    }
    if !issues.isEmpty { throw ConfigurationError(issues: issues) }
    return adoption
  }

  // MARK: - One variable

  /// The value of a variable; nil, and noted, when it is secret or not understood.
  private mutating func resolved(_ name: String) -> YAMLNode? {
    taken.insert(name)
    guard let variable = variables.all[name] else { return nil }
    if let rival = variable.rival {
      issues.append(
        ConfigurationIssue(
          origin: variable.value.origin, key: name,
          message: "is something else than in \(rival.file):\(rival.line), and either may be for this host",
          expected: "the files of this host alone, each with --from"))
      return nil
    }
    return resolved(variable.value, name: name)
  }

  /// - Parameter name: for the note, when it has no value here.
  private mutating func resolved(_ node: YAMLNode, name: String) -> YAMLNode? {
    do {
      return try variables.resolved(node, [name])
    } catch {
      let note = Adoption.Note(name: name, source: place(node), reason: error.text)
      if error.isSecret { adoption.secrets.append(note) } else { adoption.ignored.append(note) }
      return nil
    }
  }

  private func place(_ node: YAMLNode) -> String { "\(node.origin.file):\(node.origin.line)" }

  private mutating func take(_ setting: RoleNames.Setting) {
    guard variables.all[setting.variable] != nil else {
      if let fallback = setting.fallback { takeDefault(setting, fallback) }
      return
    }
    guard let node = resolved(setting.variable) else { return }
    if let value = configuration(node, setting.kind, key: setting.key) {
      adoption.add(setting.key, value, at: node.origin, from: "\(setting.variable) in \(place(node))")
    } else if let fallback = setting.fallback, node.isEmpty {
      takeDefault(setting, fallback)
    }
  }

  private mutating func takeDefault(_ setting: RoleNames.Setting, _ fallback: String) {
    let nowhere = Origin(file: "the role's default", line: 0, column: 0)
    let node = YAMLNode(.scalar(fallback, isPlain: setting.kind == .flag), at: nowhere)
    guard let value = try? variables.resolved(node, [setting.variable]),
      let configured = configuration(value, setting.kind, key: setting.key)
    else { return }
    adoption.add(setting.key, configured, at: nowhere, from: "the role's default")
  }

  /// The value as the settings have it; nil for an empty one that says nothing, and for one of another kind, which is an issue.
  private mutating func configuration(
    _ node: YAMLNode, _ kind: RoleNames.Kind, key: String
  ) -> ConfigurationNode.Value? {
    func wrong(_ expected: String) {
      issues.append(
        ConfigurationIssue(origin: node.origin, key: key, message: "is \(node.kindName)", expected: expected))
    }
    switch kind {
    case .text, .textOrNone:
      if node.isEmpty || node.boolean == false { return kind == .textOrNone ? .string("") : nil }
      guard let text = node.text else {
        wrong("a text")
        return nil
      }
      return .string(text)
    case .flag:
      if node.isEmpty { return nil }
      guard let flag = node.boolean else {
        wrong("yes or no")
        return nil
      }
      return .boolean(flag)
    case .texts:
      if node.isEmpty { return nil }
      guard case .list(let items) = node.value, items.allSatisfy({ $0.text != nil }) else {
        wrong("a list of texts")
        return nil
      }
      return .array(items.map { ConfigurationNode(.string($0.text ?? ""), at: $0.origin) })
    }
  }

  // MARK: - What is not one to one

  private mutating func takeVaultType() {
    let node = resolved("cryptdir_type")
    if let node, let type = node.text, !type.isEmpty {
      if type == "encfs" {
        adoption.ignored.append(
          .init(name: "cryptdir_type", source: place(node), reason: "EncFS is not supported: move to gocryptfs or LUKS")
        )
      } else {
        adoption.add("vault_type", .string(type), at: node.origin, from: "cryptdir_type in \(place(node))")
      }
      return
    }
    let nowhere = Origin(file: "the role's default", line: 0, column: 0)
    if variables.all.keys.contains(where: { $0.hasPrefix("cryptdir_") }) {
      adoption.add("vault_type", .string("gocryptfs"), at: nowhere, from: "the role's default")
    } else if !adoption.found.contains(where: { $0.node.value.isPath(below: "/vault") }) {
      adoption.add(
        "vault_type", .string("none"), at: nowhere,
        from: "there being no variable of the role's for a vault (cryptdir_*)")
    }
  }

  private mutating func takeRedisLimit() {
    let names = ["redis_maxmem", "redis_maxmen"]
    for (suffix, fallback) in [("", "500mb"), ("_policy", nil)] {
      // The role's template asks for the first spelling of the limit, its defaults and documents have the second.
      let node = names.compactMap { resolved($0 + suffix) }.first { !$0.isEmpty }
      let key = "redis_maxmem" + suffix
      if let node, let text = node.text {
        adoption.add(key, .string(text.lowercased()), at: node.origin, from: "redis_maxmem\(suffix) in \(place(node))")
      } else if let fallback {
        adoption.add(
          key, .string(fallback), at: Origin(file: "the role's default", line: 0, column: 0),
          from: "the role's default, which a misspelling kept from being set")
      }
    }
  }

  /// Only the addresses: whoever has one has a password in the database too.
  private mutating func takeUsers() {
    taken.insert("mail_users")
    guard let variable = variables.all["mail_users"], !variable.value.isEmpty else { return }
    guard case .list(let items) = variable.value.value else {
      if let list = resolved("mail_users"), case .list(let items) = list.value { takeUsers(items, variable) }
      return
    }
    takeUsers(items, variable)
  }

  private mutating func takeUsers(_ items: [YAMLNode], _ variable: RoleVariables.Variable) {
    var users: [ConfigurationNode] = []
    for (index, item) in items.enumerated() {
      let name = "mail_users[\(index + 1)]"
      guard let email = item["email"] ?? (item.text == nil ? nil : item) else {
        issues.append(
          ConfigurationIssue(origin: item.origin, key: name, message: "has no email", expected: "{ email: …, pw: … }"))
        continue
      }
      if let password = item["pw"] {
        adoption.secrets.append(
          .init(name: "\(name).pw", source: place(password), reason: "the account database has the password already"))
      }
      guard let address = resolved(email, name: "\(name).email"), let text = address.text else { continue }
      users.append(ConfigurationNode(.string(text), at: email.origin))
    }
    if users.isEmpty { return }
    adoption.add(
      "mail_users", .array(users), at: variable.value.origin, from: "mail_users in \(place(variable.value))")
  }

  private mutating func takeAliases(_ name: String) {
    guard let list = resolved(name), !list.isEmpty else { return }
    guard case .list(let items) = list.value else {
      issues.append(
        ConfigurationIssue(
          origin: list.origin, key: name, message: "is \(list.kindName)", expected: "a list of { src: …, dst: … }"))
      return
    }
    var aliases: [ConfigurationNode] = []
    if case .array(let earlier)? = adoption.found.first(where: { $0.key == "mail_aliases" })?.node.value {
      aliases = earlier
    }
    for (index, item) in items.enumerated() {
      guard let source = item["src"], let from = source.text, let target = item["dst"], let to = target.text else {
        issues.append(
          ConfigurationIssue(
            origin: item.origin, key: "\(name)[\(index + 1)]", message: "is no alias", expected: "{ src: …, dst: … }"))
        continue
      }
      let row = [
        "src": ConfigurationNode(.string(from), at: source.origin),
        "dst": ConfigurationNode(.string(to), at: target.origin),
      ]
      aliases.append(ConfigurationNode(.table(row), at: item.origin))
    }
    if aliases.isEmpty { return }
    adoption.add("mail_aliases", .array(aliases), at: list.origin, from: "\(name) in \(place(list))")
  }

  private mutating func listTheRest() {
    for variable in variables.all.values.sorted(by: { $0.name < $1.name }) where !taken.contains(variable.name) {
      if RoleNames.handled.contains(variable.name) { continue }
      let source = place(variable.value)
      if variables.isSecret(variable) {
        adoption.secrets.append(.init(name: variable.name, source: source, reason: ""))
      } else {
        let reason = RoleNames.reasons[variable.name] ?? ""
        adoption.ignored.append(.init(name: variable.name, source: source, reason: reason))
      }
    }
  }
}

extension YAMLNode {
  /// How a message names its kind.
  var kindName: String {
    switch value {
    case .null: "empty"
    case .scalar(let text, _): "\"\(text)\""
    case .list: "a list"
    case .map: "a map"
    }
  }
}

extension ConfigurationNode.Value {
  func isPath(below directory: String) -> Bool {
    if case .string(let text) = self { text.hasPrefix(directory + "/") } else { false }
  }
}

extension Adoption {
  /// Reads a file of variables, or several, in the order in which they count.
  /// - Parameters:
  ///   - files: the name, the text, and the rank: of two files of one rank that differ in what is needed neither counts.
  /// - Throws: everything that is not understood, with file, line and column.
  public init(variables files: [(file: String, text: String, rank: Int)]) throws(ConfigurationError) {
    var variables = RoleVariables()
    var encrypted: [Note] = []
    for (file, text, rank) in files {
      if text.hasPrefix("$ANSIBLE_VAULT") {
        encrypted.append(Note(name: file, source: file, reason: "the whole file is encrypted"))
        continue
      }
      try variables.add(try YAMLReader.read(text, file: file), rank: rank)
    }
    var work = RoleImport(variables)
    self = try work.run()
    secrets = encrypted + secrets
  }
}
