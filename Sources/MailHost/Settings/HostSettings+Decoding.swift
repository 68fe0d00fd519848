import MailbootCore

extension HostSettings {
  /// Decodes the merged files. Collects every issue instead of stopping at the first.
  /// - Throws: `ConfigurationError` with at least one issue.
  public init(decoding root: ConfigurationNode) throws(ConfigurationError) {
    var top = TableReader(root, path: "")
    let host = top.string(
      "mail_server_hostname", expected: "a full host name such as \"mail.example.org\"", where: isHostName)
    let administrator = top.string(
      "admin_email", expected: "an address of this host such as \"alice@example.org\"", where: isAddress)
    self.init(hostName: host ?? "", administrator: administrator ?? "")
    _ = top.require("mail_server_hostname", host, expected: "mail_server_hostname = \"mail.example.org\"")
    _ = top.require("admin_email", administrator, expected: "admin_email = \"alice@example.org\"")
    readAccounts(&top)
    readNetwork(&top)
    readPlaces(&top)
    readFilter(&top)
    messageSize = top.integer("message_size_limit", in: 100_000...1_073_741_824) ?? messageSize
    quota = top.string("quota", expected: "a size such as \"2G\"", where: isSize)
    managesieve = top.boolean("managesieve") ?? managesieve
    let smarthostNode = top.node("smarthost")
    if smarthostNode != nil { top.table("smarthost") { smarthost = Smarthost(reading: &$0) } }
    top.table("web") { web.read(&$0) }
    top.table("manage") { table in
      manage.packages = table.boolean("packages") ?? manage.packages
      manage.services = table.boolean("services") ?? manage.services
      manage.users = table.boolean("users") ?? manage.users
    }
    own.read(&top)
    let issues = top.finish()
    if !issues.isEmpty { throw ConfigurationError(issues: issues) }
  }

  private mutating func readAccounts(_ top: inout TableReader) {
    let name = "a domain such as \"example.org\""
    domains = top.strings("mail_domains", expected: "domains such as [\"example.org\"]", each: name, where: isHostName)
    users =
      top.elements("mail_users") { item, key, reader in
        if case .string(let email) = item.value, isAddress(email) { return User(email: email) }
        guard case .table = item.value else {
          reader.note(
            item, key, "has an element that is \(item.typeName)",
            expected: "an address, or { email = \"alice@example.org\", password_hash = \"{SHA512-CRYPT}$6$…\" }")
          return nil
        }
        var row = TableReader(item, path: key)
        let email = row.string("email", expected: "an address", where: isAddress)
        let hash = row.string(
          "password_hash", expected: "a hash such as \"{SHA512-CRYPT}$6$…\"; a password in the clear is not taken"
        ) { $0.hasPrefix("{") || $0.hasPrefix("$") }
        let there = row.require("email", email, expected: "email = \"alice@example.org\"")
        reader.issues += row.finish()
        return there.map { User(email: $0, passwordHash: hash) }
      } ?? []
    aliases =
      top.tables("mail_aliases") { row in
        let source = row.string("src", expected: "an address, or \"@domain\" for the rest of a domain") {
          isAddress($0) || ($0.hasPrefix("@") && isHostName(String($0.dropFirst())))
        }
        let destination = row.string("dst", expected: "an address", where: isAddress)
        _ = row.require("src", source, expected: "src = \"info@example.org\"")
        _ = row.require("dst", destination, expected: "dst = \"alice@example.org\"")
        guard let source, let destination else { return nil }
        return Alias(source: source, destination: destination)
      } ?? []
    if let names = top.strings("mail_local_admin_aliases", expected: "names such as [\"postmaster\"]") {
      administratorAliases = names
    }
  }

  private mutating func readNetwork(_ top: inout TableReader) {
    let certificateHost = top.string("mail_certhost", expected: "a host name", where: isHostName) ?? hostName
    certificate =
      top.plainPath("mail_ssl_cert", example: "/etc/letsencrypt/live/\(certificateHost)/fullchain.pem")
      ?? "/etc/letsencrypt/live/\(certificateHost)/fullchain.pem"
    certificateKey =
      top.plainPath("mail_ssl_certkey", example: "/etc/letsencrypt/live/\(certificateHost)/privkey.pem")
      ?? "/etc/letsencrypt/live/\(certificateHost)/privkey.pem"
    friendlyNetworks = top.strings(
      "friendly_networks", expected: "networks such as [\"192.0.2.0/24\"]",
      each: "a network such as \"192.0.2.0/24\" or \"2001:db8::/48\"", where: isNetwork)
    ipv4 = top.boolean("ipv4") ?? ipv4
    let ipv6Node = top.node("ipv6")
    ipv6 = top.boolean("ipv6") ?? ipv6
    if !ipv4, !ipv6, let ipv6Node {
      top.note(ipv6Node, "ipv6", "is off as ipv4 is", expected: "one of them to be on")
    }
  }

  private mutating func readPlaces(_ top: inout TableReader) {
    vault = top.string("vault", expected: "an absolute path such as \"/vault\"", where: isPlainPath) ?? vault
    vaultType = top.string("vault_type", expected: "\"luks\", \"gocryptfs\" or \"none\"") {
      ["luks", "gocryptfs", "none"].contains($0)
    }
    let vault = vault
    func place(_ key: String, _ name: String) -> String {
      top.plainPath(key, example: "\(vault)/\(name)") ?? "\(vault)/\(name)"
    }
    spool = place("mail_spool_root", "vmail")
    sieve = place("mail_sieve_root", "sieve")
    dkim = place("mail_dkim_root", "dkim")
    databaseDirectory = place("mail_db_root", "maildb")
    redisDirectory = place("redis_dbdir", "redis")
    queue = place("mail_queue_dir", "postfix")
    let file = "a file name such as \"maildb.sqlite3\""
    databaseName = top.string("mail_db_name", expected: file, where: isFileName) ?? databaseName
    redisFile = top.string("redis_dbfile", expected: file, where: isFileName) ?? redisFile
  }

  private mutating func readFilter(_ top: inout TableReader) {
    if let name = top.string(
      "spam_filter", expected: "\"rspamd\", or \"\" for none", where: { ["rspamd", ""].contains($0) })
    {
      spamFilter = name == "rspamd"
    }
    perUserBayes = top.boolean("spam_per_user_bayes") ?? perUserBayes
    let selectorNode = top.node("dkim_selector")
    let label = "a label such as \"202601\""
    if let text = top.string(
      "dkim_selector", expected: label + ", or \"\" for no signatures", where: { isSelector($0, orNone: true) })
    {
      selector = text.isEmpty ? nil : text
    } else if selectorNode == nil, !spamFilter {
      selector = nil
    }
    if let selectorNode, selector != nil, !spamFilter {
      top.note(
        selectorNode, "dkim_selector", "is set while spam_filter is \"\"", expected: "\"\": it is rspamd that signs")
    }
    nextSelector = top.string("dkim_selector_next", expected: label) { isSelector($0, orNone: false) }
    signsWithEd25519 = top.boolean("dkim_ed25519") ?? signsWithEd25519
    rotateDays = top.integer("dkim_rotate_days", in: 1...3650) ?? rotateDays
    dns.read(&top)
    // The role misspelt one of them in its defaults, and so never set a limit; hosts have both.
    for key in ["redis_maxmen", "redis_maxmem"] {
      redisMemory = top.string(key, expected: "a size such as \"128mb\"", where: isRedisSize) ?? redisMemory
      redisPolicy =
        top.string(key + "_policy", expected: "one of " + redisPolicies.joined(separator: ", ")) {
          redisPolicies.contains($0)
        } ?? redisPolicy
    }
    top.table("limits") { table in
      limits = Limits(reading: &table, otherwise: limits)
      let general = limits
      table.table("user") { rows in
        for name in rows.keys {
          if !isAddress(name), let node = rows.node(name) {
            rows.note(node, name, "is no address", expected: "a login such as \"news@example.org\", in quotation marks")
          }
          rows.table(name) { userLimits[name.lowercased()] = Limits(reading: &$0, otherwise: general) }
        }
      }
    }
  }
}

extension HostSettings.Limits {
  fileprivate init(reading table: inout TableReader, otherwise: Self) {
    self = otherwise
    messagesPerDay = table.integer("messages_per_day", in: 0...1_000_000) ?? messagesPerDay
    recipientsPerDay = table.integer("recipients_per_day", in: 0...1_000_000) ?? recipientsPerDay
    burst = table.integer("burst", in: 1...1_000_000) ?? burst
    newRecipientsPerDay = table.integer("new_recipients_per_day", in: 0...1_000_000) ?? newRecipientsPerDay
  }
}

extension HostSettings.Smarthost {
  fileprivate init?(reading table: inout TableReader) {
    let host = table.string("host", expected: "a host name such as \"smtp.example.net\"", where: isHostName)
    let port = table.integer("port", in: 1...65535) ?? 587
    let file = table.plainPath("password_file", example: "/etc/mailboot/smarthost")
    _ = table.require("host", host, expected: "host = \"smtp.example.net\"")
    guard let host else { return nil }
    self.init(host: host, port: port, passwordFile: file)
    verify = table.boolean("verify") ?? true
  }
}

extension HostSettings.Web {
  fileprivate mutating func read(_ table: inout TableReader) {
    root = table.plainPath("root", example: "/var/www/mailhost")
    mtaSTS = table.choice("mta_sts", MTASTSPolicy.Mode.self) ?? mtaSTS
    let keys = ["mobileconfig_certificate", "mobileconfig_key"]
    let nodes = keys.map { table.node($0) }
    profileCertificate = table.plainPath(keys[0], example: "/etc/mailboot/mobileconfig.pem")
    profileKey = table.plainPath(keys[1], example: "/etc/mailboot/mobileconfig.key")
    for (one, other) in [(0, 1), (1, 0)] {
      guard let node = nodes[one], nodes[other] == nil else { continue }
      table.note(node, keys[one], "is set without \(keys[other])", expected: "both of them, or none")
    }
  }
}

extension HostSettings.Own {
  fileprivate mutating func read(_ top: inout TableReader) {
    top.table("postfix") { postfix in
      postfix.table("main") { main = $0.lines(separators: false) }
      postfix.table("master") { table in
        for name in table.keys {
          table.table(name) { master[name] = $0.lines(separators: true) }
        }
      }
    }
    top.table("dovecot") { dovecot = $0.plainPath("extra", example: "/etc/dovecot/local.conf") }
  }
}

extension TableReader {
  /// A path that needs no quoting in any of the files.
  mutating func plainPath(_ key: String, example: String) -> String? {
    string(key, expected: "an absolute path without spaces, such as \"\(example)\"", where: isPlainPath)
  }

  /// An array whose every string must be of a kind; empty when it is not there.
  mutating func strings(
    _ key: String, expected: String, each: String, where valid: (String) -> Bool
  ) -> [String] {
    guard let texts = strings(key, expected: expected), let node = node(key), case .array(let items) = node.value
    else { return [] }
    for (text, item) in zip(texts, items) where !valid(text) {
      note(item, key, "\"\(text)\" is not valid", expected: each)
    }
    return texts
  }

  /// An array of what `body` makes of each element.
  fileprivate mutating func elements<Element>(
    _ key: String, _ body: (ConfigurationNode, String, inout TableReader) -> Element?
  ) -> [Element]? {
    guard let node = node(key) else { return nil }
    guard case .array(let items) = node.value else {
      note(node, key, "is \(node.typeName)", expected: "an array")
      return nil
    }
    return items.enumerated().compactMap { index, item in body(item, "\(name(key))[\(index + 1)]", &self) }
  }

  /// Parameters of postfix: strings, numbers and booleans.
  fileprivate mutating func lines(separators refused: Bool) -> [HostSettings.Own.Line] {
    keys.compactMap { key in
      guard let node = node(key) else { return nil }
      let value: String
      switch node.value {
      case .string(let text): value = text
      case .integer(let number): value = String(number)
      case .boolean(let flag): value = flag ? "yes" : "no"
      default:
        note(node, key, "is \(node.typeName)", expected: "a string, a number, true or false")
        return nil
      }
      guard !value.contains("\n"), !value.utf8.contains(0) else {
        note(node, key, "has more than one line", expected: "one line")
        return nil
      }
      guard !refused || key == "command" || !value.contains(" ") else {
        note(
          node, key, "has a space, which master.cf does not take",
          expected: "a parameter of [postfix.main] to refer to: \"$my_list\"")
        return nil
      }
      guard isParameterName(key) else {
        note(node, key, "is no name of a parameter", expected: "letters, digits and _")
        return nil
      }
      return HostSettings.Own.Line(name: key, value: value, origin: node.origin)
    }
  }
}
