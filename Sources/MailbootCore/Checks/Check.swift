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

/// What a failed check means for the unlock.
public enum Severity: String, CaseIterable, Codable, Sendable {
  /// Not run at all.
  case off
  /// Reported, holds nothing up.
  case warn
  /// The services do not start.
  case require
}

/// The verdict on one check as reports show it.
public enum CheckResult: String, Codable, Sendable {
  case pass, warn, fail, skip
}

/// What a check found, before severity turns it into a verdict.
public struct Finding: Codable, Equatable, Sendable {
  public var check: CheckName
  /// True when all is well.
  public var sound: Bool
  /// One line: what was seen ("2 domains, 2 users, 1 alias") or what is wrong.
  public var detail: String
  /// What to do about it; nil when nothing is to be done.
  public var hint: String?

  public init(_ check: CheckName, sound: Bool, detail: String, hint: String? = nil) {
    self.check = check
    self.sound = sound
    self.detail = detail
    self.hint = hint
  }
}
