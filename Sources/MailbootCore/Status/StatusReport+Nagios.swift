import Text

extension StatusReport {
  /// The one line of a monitoring plugin: `MAILBOOT OK - text | perfdata`.
  ///
  /// - Parameter now: seconds since 1970.
  /// - SeeAlso: https://www.monitoring-plugins.org/doc/guidelines.html
  public func nagios(now: Double) -> String {
    Self.nagiosLine(state.nagiosStatus, summary(now: now)) + " | " + performanceData(now: now).joined(separator: " ")
  }

  /// The line for a status that could not be taken at all, such as for an error in the configuration; it goes with exit code 3.
  public static func nagiosUnknown(_ reason: String) -> String { nagiosLine(.unknown, reason) }

  /// What a plugin's text may have: NRPE passes on 1 KiB in all.
  private static let longestText = 600

  private static func nagiosLine(_ status: NagiosStatus, _ text: String) -> String {
    // What follows a bar is taken for numbers.
    let safe = String(singleLine(text).map { $0 == "|" ? "/" : $0 })
    var cut = safe
    while cut.utf8.count > longestText { cut.removeLast() }
    return "MAILBOOT \(status.name) - " + (cut.utf8.count < safe.utf8.count ? cut + "..." : cut)
  }

  /// `label=value[unit];warn;crit;min;max`, no label needing quotes.
  private func performanceData(now: Double) -> [String] {
    var data: [String] = []
    if let since { data.append("state_seconds=\(decimal(max(0, now - since), places: 0))s;;;0") }
    if state != .unknown {
      data.append("services_ready=\(services.count { $0.ready });;;0;\(services.count)")
    }
    if !checks.isEmpty {
      let failed = checks.count { $0.result == .fail || $0.result == .warn }
      data.append("checks_failed=\(failed);;;0;\(checks.count)")
    }
    if let free = vault.availableBytes, let size = vault.sizeBytes {
      data.append("vault_available=\(free)B;;;0;\(size)")
    }
    if !otherVaults.isEmpty, state != .unknown {
      data.append("vaults_open=\(([vault] + otherVaults).count { $0.mounted });;;0;\(otherVaults.count + 1)")
    }
    data.append("attempts_refused=\(attempts.refused)c;;;0")
    return data
  }
}

/// What a monitoring plugin says by its exit code.
public enum NagiosStatus: Int32, Sendable {
  case ok = 0
  case warning = 1
  case critical = 2
  case unknown = 3

  var name: String {
    switch self {
    case .ok: "OK"
    case .warning: "WARNING"
    case .critical: "CRITICAL"
    case .unknown: "UNKNOWN"
    }
  }
}

extension BootState {
  public var nagiosStatus: NagiosStatus {
    switch self {
    case .ready: .ok
    case .opening, .mounting, .verifying, .starting, .locking: .warning
    case .degraded, .locked: .critical
    case .unknown: .unknown
    }
  }
}
