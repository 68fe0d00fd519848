import Glibc
import SQLite

extension AccountDatabase {
  /// Looks through everything, as it is at one moment, and changes nothing.
  public func check() throws(AccountError) -> [AccountFinding] {
    var findings = fileFindings()
    try explained { () throws(SQLiteFailure) in try connection.execute("BEGIN") }
    // Read only: there is nothing to lose by it.
    defer { try? connection.execute("ROLLBACK") }
    let integrity = try all("PRAGMA integrity_check(1)") { $0.text(0) ?? "" }
    guard integrity == ["ok"] else {
      let message = integrity.first ?? "no answer"
      return findings + [
        AccountFinding(
          .error, "damage", path, message, hint: "restore a backup, or save what is left: sqlite3 \(path) .recover")
      ]
    }
    findings += try orphanFindings()
    var content = AccountContent()
    try domains { content.domains.append($0.name) }
    try storedPasswords { content.users.append(($0, StoredHash($1))) }
    try aliases { content.aliases.append($0) }
    return findings + content.findings
  }

  /// Owner and mode of the file, and that its directory lets postfix and dovecot through.
  private func fileFindings() -> [AccountFinding] {
    var status = stat()
    guard stat(path, &status) == 0 else { return [] }
    let mode = status.st_mode & 0o7777
    var findings: [AccountFinding] = []
    if mode & 0o007 != 0 {
      findings.append(
        AccountFinding(
          .error, "mode", path, "everybody on this host may \(mode & 0o002 != 0 ? "change" : "read") it",
          hint: "chmod 0640 \(path)"))
    } else if mode != AccountFile.mode {
      findings.append(
        AccountFinding(
          .warning, "mode", path, "its mode is 0\(String(mode, radix: 8)), not 0640", hint: "chmod 0640 \(path)"))
    }
    if status.st_uid != 0 {
      findings.append(
        AccountFinding(
          .warning, "mode", path, "it belongs to user \(status.st_uid), not root", hint: "chown root \(path)"))
    }
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    if stat(directory, &status) == 0, status.st_mode & 0o022 != 0 {
      findings.append(
        AccountFinding(
          .error, "mode", directory, "others than its owner may replace the database", hint: "chmod 0755 \(directory)"))
    }
    return findings
  }

  /// Rows whose domain is gone. Old programs did not switch foreign keys on: such users could still log in.
  private func orphanFindings() throws(AccountError) -> [AccountFinding] {
    let hint =
      "if it is not wanted, `mailcfg rmuser` or `rmalias -id` removes it; else `mailcfg adddom` and add it anew"
    let users = try all(
      "SELECT email FROM users WHERE NOT EXISTS (SELECT 1 FROM domains WHERE id=domain_id) ORDER BY email"
    ) {
      AccountFinding(
        .error, "orphan", $0.text(0) ?? "", "its domain was removed, but the user can still log in", hint: hint)
    }
    let aliases = try all(
      "SELECT src, id FROM aliases WHERE NOT EXISTS (SELECT 1 FROM domains WHERE id=domain_id) ORDER BY src, id"
    ) {
      AccountFinding(
        .error, "orphan", "\($0.text(0) ?? "") (id \($0.integer(1) ?? 0))", "the alias's domain was removed", hint: hint
      )
    }
    return users + aliases
  }
}
