extension HostSettings {
  /// What a backup of this host must have, the most important first.
  public func savedPaths(_ facts: SavedPathFacts) -> [SavedPath] {
    var paths: [SavedPath] = []
    func add(_ path: String, _ what: String, _ note: String) {
      if paths.contains(where: { $0.path == path }) { return }
      paths.append(SavedPath(path: path, what: what, vault: facts.vault(of: path)?.name, note: note))
    }
    let anyTime = "at any time"
    let untilApplied = "at any time but while `mailhost apply` runs"
    add(
      database, "accounts",
      "not the file itself: `mailcfg backup FILE`, also while it is used, and save FILE; restored as this path")
    add(
      spool, "mail",
      "at any time: no mail's file changes. Flags are in the names, and a mail that is moved meanwhile may be missed: "
        + "what must be exact takes a snapshot, or dovecot stopped")
    add(sieve, "filters of the users", anyTime)
    if selector != nil || nextSelector != nil {
      add(dkim, "keys that mail is signed with", "\(anyTime), encrypted: whoever has them signs as this host")
    }
    for file in [facts.settingsFile, facts.mailbootFile] {
      add(file, "settings", untilApplied)
      add(file + ".d", "settings", untilApplied)
    }
    add(facts.state, "what `mailhost` has applied, and what was there before", untilApplied)
    add(certificate, "certificate", following)
    add(certificateKey, "certificate's key", "\(following); encrypted")
    if let file = smarthost?.passwordFile { add(file, "the smarthost's password", "\(anyTime), encrypted") }
    if let file = own.dovecot { add(file, "dovecot's own lines", anyTime) }
    for vault in facts.otherVaults {
      add(vault.mount, "what is in the vault \(vault.name)", "as whatever writes there wants it")
    }
    for (index, vault) in facts.vaults.enumerated() {
      let owner = index == 0 ? "the vault's" : "the vault \(vault.name)'s"
      switch vault.source {
      case .luks(_, let header?): add(header, "\(owner) header", anyTime)
      case .gocryptfs(let directory, let configuration):
        add("\(directory)/\(configuration)", "\(owner) key, encrypted with the passphrase", anyTime)
      case .luks, .container, .none: break
      }
    }
    return paths
  }

  private var following: String { "at any time, following links; certbot's directory whole keeps renewals going" }

  /// What a backup need not have, and why.
  public func unsavedPaths(_ facts: SavedPathFacts) -> [SavedPath] {
    func path(_ path: String, _ what: String, _ why: String) -> SavedPath {
      SavedPath(path: path, what: what, vault: facts.vault(of: path)?.name, note: why)
    }
    var paths = [path(queue, "mail on its way", "restored, it would be sent once more")]
    if spamFilter {
      paths.append(
        path(
          "\(redisDirectory)/\(redisFile)", "what rspamd has learned and counted",
          "it is learned again; save the file if that takes too long here: redis replaces it whole"))
    }
    // Not dovecot-uidlist and dovecot-keywords: without them every client loads all mail again, and labels lose their names.
    for name in ["dovecot.index*", "dovecot.list.index*"] {
      paths.append(path("\(spool)/**/\(name)", "dovecot's indexes", "dovecot makes them again"))
    }
    return paths
  }
}
