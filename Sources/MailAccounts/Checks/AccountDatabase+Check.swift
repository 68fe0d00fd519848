import Glibc
import Linux
import SQLite

extension AccountDatabase {
  /// Looks through everything, as it is at one moment, and changes nothing. Who wants to change something meanwhile is let in.
  public func check() throws(AccountError) -> [AccountFinding] {
    var before = FindingList()
    before.add(fileFindings())
    var found: [AccountFinding] = []
    try whileUnchanged { (database) throws(AccountError) in
      guard let integrity = try database.integrity() else { return false }
      var findings = before
      if integrity != ["ok"] {
        let damage = integrity.first ?? "no answer"
        let hint: Advice = "restore a backup, or save what is left: \(command: "sqlite3", path, ".recover")"
        findings.add(AccountFinding(.error, "damage", path, damage, hint: hint))
      } else {
        let inspection = try AccountInspection(database, findings)
        try inspection.inspect(database)
        findings = inspection.findings
      }
      found = findings.all(path: path)
      return true
    }
    return found
  }

  /// One long statement: nil when another process wanted to change something meanwhile.
  private func integrity() throws(AccountError) -> [String]? {
    do throws(SQLiteFailure) {
      return try connection.givingWay { () throws(SQLiteFailure) in
        try connection.column("PRAGMA integrity_check(1)")
      }
    } catch {
      if error.kind == .interrupted, !connection.isLimited { return nil }
      throw explanation(of: error)
    }
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
          hint: "\(command: "chmod", "0640", path)"))
    } else if mode != AccountFile.mode {
      findings.append(
        AccountFinding(
          .warning, "mode", path, "its mode is 0\(String(mode, radix: 8)), not 0640",
          hint: "\(command: "chmod", "0640", path)"))
    }
    if status.st_uid != 0 {
      findings.append(
        AccountFinding(
          .warning, "mode", path, "it belongs to user \(status.st_uid), not root",
          hint: "\(command: "chown", "root", path)"))
    }
    let directory = parentDirectory(of: path)
    if stat(directory, &status) == 0, status.st_mode & 0o022 != 0 {
      findings.append(
        AccountFinding(
          .error, "mode", directory, "others than its owner may replace the database",
          hint: "\(command: "chmod", "0755", directory)"))
    }
    return findings
  }
}
