import MailbootCore

extension HostSettings {
  /// What the rows of lists have.
  static let rowNames: Set = [
    "name", "value", "place", "network", "network_plain", "port", "tls", "options", "command",
    "messages_per_day", "recipients_per_day", "burst", "new_recipients_per_day",
  ]

  /// What the templates may ask for, without the file's own header.
  func values(on host: HostFacts) -> [String: Any] {
    let versions = host.versions
    let signing = spamFilter && selector != nil
    var values: [String: Any] = [
      "host_name": hostName, "administrator": administrator,
      "certificate": certificate, "certificate_key": certificateKey,
      "friendly_networks": friendlyNetworks.map { ["network": postfixNetwork($0), "network_plain": $0] },
      "one_protocol": !(ipv4 && ipv6), "protocol": ipv4 ? "ipv4" : "ipv6",
      "listen": [ipv4 ? "*" : nil, ipv6 ? "::" : nil].compactMap { $0 }.joined(separator: ", "),
      "queue": queue, "queue_in_vault": queue != "/var/spool/postfix",
      "vault": vault, "vault_type": vaultType != nil, "vault_type_name": vaultType ?? "",
      "database": database, "spool": spool, "sieve": sieve, "dkim": dkim, "vmail_uid": String(host.mailUser),
      "signing": signing, "selector": selector ?? "",
      "spam_filter": spamFilter, "per_user": perUserBayes,
      "limits": countsSending, "user_limits": userLimits.sorted { $0.key < $1.key }.map(row),
      "messages_per_day": String(limits.messagesPerDay), "recipients_per_day": String(limits.recipientsPerDay),
      "burst": String(limits.burst), "new_recipients_per_day": String(limits.newRecipientsPerDay),
      "message_size": String(messageSize), "managesieve": managesieve,
      "quota": quota != nil, "quota_size": quota ?? "",
      "redis_dir": redisDirectory, "redis_file": redisFile, "redis_memory": redisMemory, "redis_policy": redisPolicy,
      "redis_program": "\(versions.redisName)-server", "redis_unit": "\(versions.redisName)-server",
      "redis_conf": "/etc/\(versions.redisName)/\(versions.redisName).conf",
      "redis_include": "/etc/\(versions.redisName)/mailhost.conf",
      "dovecot24": versions.dovecot >= ProgramVersion(2, 4),
      // The dialect that we write; a later dovecot 2.4 reads it as such.
      "dovecot_config_version": versions.dovecot < ProgramVersion(2, 4, 1) ? "2.4.0" : "2.4.1",
      "postfix39": versions.postfix >= ProgramVersion(3, 9), "postfix310": versions.postfix >= ProgramVersion(3, 10),
      "own_dovecot": own.dovecot != nil, "path": own.dovecot ?? "",
      "own": own.main.map(row),
    ]
    values.merge(mailbootValues(redisName: versions.redisName)) { $1 }
    values["smarthost"] = smarthost != nil
    values["smarthost_host"] = smarthost?.host ?? ""
    values["smarthost_port"] = String(smarthost?.port ?? 0)
    values["smarthost_level"] = smarthost?.verify == false ? "encrypt" : "secure"
    values["smarthost_login"] = smarthost?.passwordFile != nil
    values["smarthost_passwords"] = smarthost?.passwordFile ?? ""
    values["submission_ports"] = [
      ("submissions", "smtpd_tls_wrappermode=yes"), ("submission", "smtpd_tls_security_level=encrypt"),
    ].map { port, tls -> [String: Any] in
      ["port": port, "tls": tls, "options": (own.master[port] ?? []).map(row)]
    }
    let services = own.master.filter { !["submission", "submissions"].contains($0.key) }
    values["own_services"] = services.sorted { $0.key < $1.key }.map { name, lines -> [String: Any] in
      [
        "name": name, "place": lines.first.map { "\($0.origin.file):\($0.origin.line)" } ?? "",
        "command": lines.first { $0.name == "command" }?.value ?? "",
        "options": lines.filter { $0.name != "command" }.map(row),
      ]
    }
    return values
  }

  private func row(_ user: String, _ limits: Limits) -> [String: Any] {
    [
      "name": user, "messages_per_day": String(limits.messagesPerDay),
      "recipients_per_day": String(limits.recipientsPerDay), "burst": String(limits.burst),
      "new_recipients_per_day": String(limits.newRecipientsPerDay),
    ]
  }

  private func row(_ line: Own.Line) -> [String: Any] {
    ["name": line.name, "value": line.value, "place": "\(line.origin.file):\(line.origin.line)"]
  }

  /// An IPv6 network in brackets, as postfix wants it.
  private func postfixNetwork(_ network: String) -> String {
    let parts = network.split(separator: "/", maxSplits: 1)
    guard let address = parts.first, address.contains(":") else { return network }
    return "[\(address)]" + (parts.count > 1 ? "/\(parts[1])" : "")
  }

  /// What `mailboot` has to be told: where the settings differ from what it takes for granted.
  private func mailbootValues(redisName: String) -> [String: Any] {
    let own = [
      "own_mount": vault != "/vault", "own_database": database != "/vault/maildb/maildb.sqlite3",
      "own_dkim": selector != nil && dkim != "/vault/dkim", "own_selector": selector != nil && selector != "202001",
      "own_spool": spool != "/vault/vmail", "own_sieve": sieve != "/vault/sieve",
      "other_services": !spamFilter || redisName != "redis",
    ]
    func any(_ names: String...) -> Bool { names.contains { own[$0] == true } }
    var values: [String: Any] = own
    values["vault_table"] = vaultType != nil || any("own_mount")
    values["verify_table"] = any("own_database", "own_dkim", "own_selector")
    values["accounts_table"] = any("own_spool", "own_sieve")
    return values
  }

  /// Whether there is anything to tell `mailboot` at all.
  func differsForMailboot(redisName: String) -> Bool {
    let values = mailbootValues(redisName: redisName)
    return selector == nil || !spamFilter
      || ["vault_table", "verify_table", "accounts_table", "other_services"].contains { values[$0] as? Bool == true }
  }
}
