import JSON

extension Configuration {
  /// The complete configuration as TOML, defaults written out; what is found out at run time is a comment.
  public func text() -> String {
    var lines: [String] = []
    for vault in vaults {
      lines += otherVaults.isEmpty ? ["[vault]"] : (lines.isEmpty ? [] : [""]) + ["[[vault]]"]
      if !otherVaults.isEmpty || vault.name != Vault.standardName { lines.append("name = \(quoted(vault.name))") }
      lines.append(
        vault.type.map { "type = \(quoted($0.rawValue))" }
          ?? "# type: \"luks\"; \"gocryptfs\" where there is a directory of it and no LUKS device")
      lines += vaultLines(vault)
    }
    for bind in binds {
      lines += ["", "[[bind]]", "from = \(quoted(bind.from))", "to = \(quoted(bind.to))"]
    }
    lines += [
      "", "[verify]",
      verify.namesDatabase
        ? "database = \(quoted(verify.database))"
        : "# database: \(quoted(verify.database)), where postfix or dovecot ask it",
      "dkim-directory = \(quoted(verify.dkimDirectory))",
      "dkim-selector = \(quoted(verify.dkimSelector))", "dkim-user = \(quoted(verify.dkimUser))",
    ]
    let found = [
      ("certificate", verify.certificate, "smtpd_tls_cert_file"),
      ("certificate-key", verify.certificateKey, "smtpd_tls_key_file"), ("host-name", verify.hostName, "myhostname"),
    ]
    for (key, value, parameter) in found {
      lines.append(value.map { "\(key) = \(quoted($0))" } ?? "# \(key): postfix's \(parameter)")
    }
    lines += ["free-space-warning = \"\(verify.freeSpacePercent)%\"", "", "[verify.severity]"]
    for check in CheckName.allCases {
      lines.append("\(check.rawValue) = \(quoted(verify.severity(of: check).rawValue))")
    }
    for service in services {
      lines += ["", "[[service]]", "name = \(quoted(service.name))"]
      if !service.after.isEmpty { lines.append("after = \(list(service.after))") }
      if !service.vaults.isEmpty { lines.append("vaults = \(list(service.vaults))") }
      if let probe = service.probeText { lines.append("probe = \(quoted(probe))") }
    }
    lines += [
      "", "[unlock]", "attempts = \(unlock.attempts)", "on-failure = \(quoted(unlock.onFailure.rawValue))",
      "service-timeout = \(unlock.serviceTimeout)", "device-timeout = \(unlock.deviceTimeout)",
    ]
    lines += furtherLines()
    return lines.joined(separator: "\n")
  }

  /// What means nothing for this kind of vault is left out: read back it would be an error.
  private func vaultLines(_ vault: Vault) -> [String] {
    var lines: [String] = []
    let keys = vault.kind.keys
    if keys.contains("device") {
      lines.append(
        vault.shownDevice.map { "device = \(quoted($0))" }
          ?? "# device: what crypttab names for the mapping, else the only LUKS device")
    }
    if keys.contains("mapping") { lines.append("mapping = \(quoted(vault.mapping))") }
    lines.append("mount = \(quoted(vault.mount))")
    if keys.contains("options") { lines.append("options = \(list(vault.options))") }
    if keys.contains("filesystem") { lines.append("filesystem = \(quoted(vault.filesystem))") }
    if keys.contains("header"), let header = vault.header { lines.append("header = \(quoted(header))") }
    if keys.contains("pim"), let pim = vault.pim { lines.append("pim = \(pim)") }
    if let file = vault.keyFile { lines.append("key-file = \(quoted(file))") }
    return lines
  }

  /// What only the service in wait mode and `mailcfg` read.
  private func furtherLines() -> [String] {
    var lines = [
      "", "[notify]", "directory = \(quoted(notify.directory))",
      "remind-every = " + (notify.remindEvery.map { "\"\($0)s\"" } ?? "\"off\""), "timeout = \"\(notify.timeout)s\"",
      "", "[monitoring]",
      monitoring.prometheusFile.map { "prometheus-file = \(quoted($0))" } ?? "# prometheus-file: none is written",
      "probe-every = \"\(monitoring.probeEvery)s\"", "", "[wait]",
    ]
    if let device = wait.keyDevice { lines.append("key-device = \(quoted(device))") }
    lines.append(wait.keyFile.map { "key-file = \(quoted($0))" } ?? "# key-file: none is looked for")
    return lines + [
      "token = \(wait.token)", "ask = \(wait.ask)",
      wait.complete.map { "complete = \($0)" } ?? "# complete: during the boot", "",
      "[accounts]", "scheme = \(quoted(accounts.scheme))",
      "spool = \(quoted(accounts.spool))", "sieve = \(quoted(accounts.sieve))", "owner = \(quoted(accounts.owner))",
    ]
  }

  private func list(_ texts: [String]) -> String { "[" + texts.map(quoted).joined(separator: ", ") + "]" }

  /// A TOML basic string; its escapes are those of JSON.
  private func quoted(_ text: String) -> String { JSONText.string(text).rendered() }
}
