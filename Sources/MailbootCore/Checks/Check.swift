/// The checks by the names that users see in the configuration, in the JSON status and as metric labels.
public enum CheckName: String, CaseIterable, Codable, Sendable, Comparable {
  case mount, database, dkim, certificate
  case certificateExpiry = "certificate-expiry"
  case certificateNames = "certificate-names"
  case freeSpace = "free-space"
  case postfix, dovecot, rspamd, maps

  /// In the order of declaration, which is the order of reports.
  public static func < (left: CheckName, right: CheckName) -> Bool {
    allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
  }
}

/// What the findings of a check mean for the unlock.
public enum Severity: String, CaseIterable, Codable, Comparable, Sendable {
  /// Not run at all.
  case off
  /// Reported, holds nothing up, however bad.
  case warn
  /// As bad as each finding is: with a fatal one the services do not start. For a check that only knows warnings nothing else than
  /// `strict` can be meant.
  case require
  /// Whatever it finds, the services do not start.
  case strict

  public static func < (left: Severity, right: Severity) -> Bool {
    allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
  }
}

/// The verdict on one check as reports show it.
public enum CheckResult: String, Codable, Sendable {
  case pass, warn, fail, skip
}
