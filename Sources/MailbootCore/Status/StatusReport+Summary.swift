import Text

extension StatusReport {
  /// What is so, and for how long, in one line without control characters: `locked for 3 h: mail waits for the passphrase`.
  ///
  /// - Parameter now: seconds since 1970.
  public func summary(now: Double) -> String {
    var text = state.rawValue
    if let since { text += " for \(age(now - since))" }
    switch state {
    case .ready:
      text += ", \(services.count { $0.ready }) of \(services.count) services ready"
      let warnings = checks.filter { $0.result == .warn }.map { "\($0.name.rawValue): \($0.detail)" }
      if !warnings.isEmpty { text += "; warning: " + warnings.joined(separator: "; ") }
    case .locked:
      text += ": mail waits for the passphrase"
      if let refused = waiting?.attemptsFailed, refused > 0 { text += ", \(refused) refused" }
      if let failed = failedStep { text += "; the last unlock failed at \(failed)" }
    case .opening, .mounting, .verifying, .starting, .locking:
      if let busy { text += ", \(busy.verb) by \(busy.by), process \(busy.pid)" }
    case .degraded, .unknown:
      let reasons = reasonLine
      if !reasons.isEmpty { text += ": " + reasons }
    }
    return singleLine(text)
  }

  /// Why it is degraded or unknown, in one line without control characters; empty when there is nothing to say.
  public var reasonLine: String { singleLine(reasons.joined(separator: "; ")) }

  /// Whether both say the same but for what changes all the time and means nothing: free bytes, how long somebody waits, and when the
  /// same answer was last given.
  public func isSame(as other: StatusReport) -> Bool { settled == other.settled }

  private var settled: StatusReport {
    var report = self
    report.vault.availableBytes = nil
    for index in report.otherVaults.indices { report.otherVaults[index].availableBytes = nil }
    report.waiting?.seconds = 0
    report.queue?.at = 0
    for index in report.checks.indices { report.checks[index].at = 0 }
    for index in report.services.indices where report.services[index].probedAt != nil {
      report.services[index].probedAt = 0
    }
    return report
  }

  private var failedStep: String? { lastUnlock?.steps.last { $0.outcome == .failed }?.name }
}

/// Text from elsewhere as one line that can be shown anywhere: line ends become spaces, control characters `?`.
public func singleLine(_ text: String) -> String {
  let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
  return visible(line)
}
