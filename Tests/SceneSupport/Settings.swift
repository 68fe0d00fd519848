/// Configurations that keep a run to what its test is about: every check and service costs time, emulated seconds on a machine.
public enum Settings {
  private static let checks = [
    "database", "dkim", "certificate", "certificate-expiry", "certificate-names", "free-space", "postfix", "dovecot",
    "rspamd", "maps",
  ]

  public static let redis = """
    [[service]]
    name = "redis-server"
    probe = "redis://127.0.0.1:6379"

    """

  /// - Parameters:
  ///   - required: the checks that are required.
  ///   - warnings: the checks that only warn. All others are off, but for `mount`.
  ///   - vault: lines of `[vault]`.
  ///   - verify: lines of `[verify]`.
  ///   - services: `[[service]]` tables.
  ///   - rest: more tables.
  public static func toml(
    checks required: Set<String> = [], warnings: Set<String> = [], vault: String = "", verify: String = "",
    services: String = redis, rest: String = ""
  ) -> String {
    let severities = checks.map { check in
      "\(check) = \"\(required.contains(check) ? "require" : warnings.contains(check) ? "warn" : "off")\""
    }
    return """
      [vault]
      \(vault)
      [verify]
      \(verify)
      [verify.severity]
      \(severities.joined(separator: "\n"))
      \(services)
      \(rest)

      """
  }
}
