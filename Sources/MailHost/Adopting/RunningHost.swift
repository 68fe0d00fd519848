import MailbootCore

/// What the programs of a host say of their own configuration, as text.
public struct RunningHost: Sendable {
  /// `postconf -n`: what main.cf sets.
  public var main = ""
  /// `postconf -x NAME…`: what counts, with references put in; see ``asked``.
  public var effective = ""
  /// `postconf -d`.
  public var defaults = ""
  /// `postconf -M`.
  public var master = ""
  /// `doveconf -n`.
  public var dovecot = ""
  /// Where something is mounted, or may be.
  public var mountPoints: Set<String> = []
  /// The texts of files by their paths, in the order in which they count; see ``files``.
  public var texts: [(path: String, text: String)] = []

  public init() {}

  /// What of postfix is looked at.
  public static let asked = [
    "myhostname", "queue_directory", "message_size_limit", "mynetworks", "inet_protocols", "relayhost",
    "smtpd_tls_cert_file", "smtpd_tls_key_file", "smtpd_milters", "virtual_mailbox_maps", "smtp_sasl_auth_enable",
    "smtp_sasl_password_maps", "smtp_tls_security_level",
  ]

  /// The files that are looked at besides the SQLite tables of postfix, where they are there.
  public static let files = [
    "/etc/aliases", "/etc/rspamd/local.d/dkim_signing.conf", "/etc/rspamd/override.d/dkim_signing.conf",
    "/etc/rspamd/local.d/classifier-bayes.conf", "/etc/rspamd/local.d/statistic.conf", "/etc/redis/redis.conf",
    "/etc/redis/mailhost.conf", "/etc/valkey/valkey.conf",
  ]

  /// The SQLite tables that say where the account database is.
  public static func tables(_ effective: String) -> [String] {
    words(MainCF(effective).values["virtual_mailbox_maps"] ?? "").compactMap { word in
      let word = word.hasPrefix("proxy:") ? word.dropFirst(6) : word
      return word.hasPrefix("sqlite:/") ? String(word.dropFirst("sqlite:".count)) : nil
    }
  }

  static func words(_ value: String) -> [Substring] { value.split { $0 == "," || isSpace($0) } }
}

extension Adoption {
  /// Takes settings out of the configuration of a running host.
  public init(running host: RunningHost) {
    self.init()
    let postfix = MainCF(host.effective).values
    takeNames(postfix, host)
    takeNetwork(postfix)
    takePlaces(postfix, host)
    takeFilter(postfix, host)
    takeSmarthost(postfix)
    takeVault(host)
  }

  private mutating func take(_ key: String, _ value: ConfigurationNode.Value?, from source: String) {
    if let value { add(key, value, at: Origin(file: source, line: 0, column: 0), from: source) }
  }

  private mutating func miss(_ key: String, _ reason: String) {
    missing.append(Note(name: key, source: "", reason: reason))
  }

  private mutating func ignore(_ name: String, _ source: String, _ reason: String) {
    ignored.append(Note(name: name, source: source, reason: reason))
  }

  private mutating func takeNames(_ postfix: [String: String], _ host: RunningHost) {
    if let name = postfix["myhostname"], isHostName(name) {
      take("mail_server_hostname", .string(name), from: "postfix' myhostname")
    } else {
      miss("mail_server_hostname", "postfix' myhostname is no full host name.")
    }
    let aliases = host.texts.first { $0.path == "/etc/aliases" }.map { textLines($0.text) } ?? []
    let root = aliases.map { $0.split(separator: ":", maxSplits: 1).map { trimmed($0) } }
      .first { $0.count == 2 && $0[0] == "root" && isAddress($0[1]) }
    if let root {
      take("admin_email", .string(root[1]), from: "root in /etc/aliases")
    } else if let address = DovecotSettings(host.dovecot)["postmaster_address"], isAddress(address) {
      take("admin_email", .string(address), from: "dovecot's postmaster_address")
    } else {
      miss("admin_email", "Neither /etc/aliases nor dovecot says who the administrator is: an address of this host.")
    }
    for (parameter, key) in [("smtpd_tls_cert_file", "mail_ssl_cert"), ("smtpd_tls_key_file", "mail_ssl_certkey")] {
      guard let path = postfix[parameter], !path.isEmpty, path != "none" else { continue }
      if path.contains("snakeoil") {
        ignore(parameter, path, "it is the certificate of nobody; without mail_ssl_cert it is certbot's for this host")
      } else {
        take(key, .string(path), from: "postfix' \(parameter)")
      }
    }
    if let size = postfix["message_size_limit"].flatMap({ Int($0) }) {
      take("message_size_limit", .integer(size), from: "postfix' message_size_limit")
    }
  }

  private mutating func takeNetwork(_ postfix: [String: String]) {
    var networks: [ConfigurationNode] = []
    for word in RunningHost.words(postfix["mynetworks"] ?? "") {
      let network = word.filter { $0 != "[" && $0 != "]" }
      if network.hasPrefix("127.") || network.hasPrefix("::1") || network.hasPrefix("::ffff:127.") { continue }
      if isNetwork(network) {
        networks.append(
          ConfigurationNode(.string(network), at: Origin(file: "postfix' mynetworks", line: 0, column: 0)))
      } else {
        ignore("mynetworks", String(word), "friendly_networks takes addresses and networks only")
      }
    }
    if !networks.isEmpty { take("friendly_networks", .array(networks), from: "postfix' mynetworks") }
    switch postfix["inet_protocols"] {
    case "ipv4": take("ipv6", .boolean(false), from: "postfix' inet_protocols")
    case "ipv6": take("ipv4", .boolean(false), from: "postfix' inet_protocols")
    default: break
    }
  }

  private mutating func takePlaces(_ postfix: [String: String], _ host: RunningHost) {
    take("mail_queue_dir", postfix["queue_directory"].map { .string($0) }, from: "postfix' queue_directory")
    for table in RunningHost.tables(host.effective) {
      guard let text = host.texts.first(where: { $0.path == table })?.text,
        let database = MainCF(text).values["dbpath"], let slash = database.lastIndex(of: "/")
      else { continue }
      take("mail_db_root", .string(String(database[..<slash])), from: "dbpath in \(table)")
      take("mail_db_name", .string(String(database[database.index(after: slash)...])), from: "dbpath in \(table)")
    }
    if !found.contains(where: { $0.key == "mail_db_root" }) {
      ignore(
        "virtual_mailbox_maps", postfix["virtual_mailbox_maps"] ?? "", "accounts are in no SQLite table of postfix")
    }
    let dovecot = DovecotSettings(host.dovecot)
    let location = dovecot["mail_path"] ?? dovecot["mail_location"] ?? ""
    let path = location.hasPrefix("maildir:") ? String(location.dropFirst("maildir:".count)) : location
    if let top = DovecotSettings.top(ofPath: path) {
      take("mail_spool_root", .string(top), from: "dovecot's mail location")
    } else {
      ignore("mail_location", location, "mail must be in DIRECTORY/DOMAIN/USER, as maildir: move it first")
    }
    let script = dovecot["sieve_script personal/path"] ?? dovecot["plugin/sieve"] ?? ""
    if let top = DovecotSettings.top(ofPath: script.hasPrefix("file:") ? String(script.dropFirst(5)) : script) {
      take("mail_sieve_root", .string(top), from: "dovecot's place for filters")
    }
    let rule = dovecot["plugin/quota_rule"].flatMap { $0.hasPrefix("*:storage=") ? $0.dropFirst(10) : nil }
    let quota = dovecot["quota_storage_size"] ?? rule.map(String.init)
    if let quota, isSize(quota) { take("quota", .string(quota), from: "dovecot's quota") }
    let sieve =
      dovecot["protocols"].map { $0.split(separator: " ").contains("sieve") } ?? (dovecot["protocols/sieve"] == "yes")
    if !sieve { take("managesieve", .boolean(false), from: "dovecot's protocols") }
  }

  private mutating func takeFilter(_ postfix: [String: String], _ host: RunningHost) {
    let milters = postfix["smtpd_milters"] ?? ""
    let isFiltered = milters.contains(":11332")
    if !isFiltered { take("spam_filter", .string(""), from: "postfix' smtpd_milters") }
    if !isFiltered, !milters.isEmpty { ignore("smtpd_milters", milters, "it is not rspamd") }
    func rspamd(_ files: [String], _ name: String) -> String? {
      host.texts.filter { files.contains($0.path) }.compactMap { Self.setting(name, in: $0.text, sign: "=") }.last
    }
    let signing = ["/etc/rspamd/local.d/dkim_signing.conf", "/etc/rspamd/override.d/dkim_signing.conf"]
    let path = rspamd(signing, "path") ?? ""
    let isOff = ["false", "no", "off"].contains(rspamd(signing, "enabled") ?? "")
    if isFiltered, !isOff, let selector = rspamd(signing, "selector"), path.hasSuffix("/$domain.$selector.key") {
      take("dkim_selector", .string(selector), from: "rspamd's dkim_signing.conf")
      take(
        "mail_dkim_root", .string(String(path.dropLast("/$domain.$selector.key".count))),
        from: "rspamd's dkim_signing.conf")
    } else {
      take("dkim_selector", .string(""), from: "rspamd not signing")
      if !isOff, !path.isEmpty {
        ignore(
          "dkim_signing.conf", path, "keys must be DIRECTORY/$domain.$selector.key: rename them, and set dkim_selector")
      }
    }
    let statistic = ["/etc/rspamd/local.d/classifier-bayes.conf", "/etc/rspamd/local.d/statistic.conf"]
    if ["true", "yes", "on"].contains(rspamd(statistic, "per_user") ?? "") {
      take("spam_per_user_bayes", .boolean(true), from: "rspamd's statistic")
    }
    for (name, key) in [
      ("dir", "redis_dbdir"), ("dbfilename", "redis_dbfile"), ("maxmemory", "redis_maxmem"),
      ("maxmemory-policy", "redis_maxmem_policy"),
    ] {
      let values = host.texts.filter { $0.path.hasPrefix("/etc/redis/") || $0.path.hasPrefix("/etc/valkey/") }
        .compactMap { Self.setting(name, in: $0.text, sign: " ") }
      // Without a limit redis takes all memory: then ours is better than none.
      if let value = values.last, value != "0" {
        take(key, .string(value.lowercased(where: key)), from: "redis' \(name)")
      }
    }
  }

  private mutating func takeSmarthost(_ postfix: [String: String]) {
    guard let relay = postfix["relayhost"], !relay.isEmpty else { return }
    let source = "postfix' relayhost"
    let parts = relay.split(separator: ":", maxSplits: 1)
    let host = parts.first.map { $0.filter { $0 != "[" && $0 != "]" } } ?? ""
    take("smarthost.host", .string(host), from: source)
    take("smarthost.port", .integer(parts.count > 1 ? Int(parts[1]) ?? 25 : 25), from: source)
    if !["secure", "verify"].contains(postfix["smtp_tls_security_level"] ?? "") {
      take("smarthost.verify", .boolean(false), from: "postfix' smtp_tls_security_level")
    }
    if postfix["smtp_sasl_auth_enable"] == "yes", let map = postfix["smtp_sasl_password_maps"],
      let colon = map.firstIndex(of: ":")
    {
      take(
        "smarthost.password_file", .string(String(map[map.index(after: colon)...])),
        from: "postfix' smtp_sasl_password_maps")
    }
  }

  /// The vault is where mail and accounts lie, if they lie in one place that is none of the system's.
  private mutating func takeVault(_ host: RunningHost) {
    func place(_ key: String) -> String? {
      guard case .string(let path)? = found.first(where: { $0.key == key })?.node.value else { return nil }
      return path
    }
    guard let spool = place("mail_spool_root"), let database = place("mail_db_root") else { return }
    let parents = [spool, database].map { $0.split(separator: "/").dropLast() }
    let top = "/" + parents[0].joined(separator: "/")
    let isSystems = ["var", "srv", "home", "opt"].contains(parents[0].first ?? "var")
    if parents[0] == parents[1], !isSystems || host.mountPoints.contains(top) {
      take("vault", .string(top), from: "mail and accounts both lying there")
    } else {
      take("vault_type", .string("none"), from: "mail and accounts lying in no one place")
    }
  }

  /// The last value that a file gives a name: `NAME = VALUE;` or `NAME VALUE`.
  private static func setting(_ name: String, in text: String, sign: Character) -> String? {
    var found: String?
    for line in textLines(text) {
      let parts = line.prefix { $0 != "#" }.split(separator: sign, maxSplits: 1).map { trimmed($0) }
      guard parts.count == 2, parts[0] == name else { continue }
      found = trimmed(parts[1].prefix { $0 != ";" }).filter { $0 != "\"" }
    }
    return found
  }
}

extension String {
  /// Sizes are written in small letters, and names of files as they are.
  fileprivate func lowercased(where key: String) -> String { key == "redis_maxmem" ? lowercased() : self }
}
