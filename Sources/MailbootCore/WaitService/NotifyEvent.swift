import JSON
import Text

/// Something that the executables in `notify.d` are told.
public struct NotifyEvent: Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    /// The state is another than before.
    case change
    /// It is still locked.
    case reminder
    /// An unlock failed; the state afterwards may be the same as before.
    case failed
  }

  public var kind: Kind
  /// Nil: the service has just started and knows of none.
  public var previousState: BootState?
  public var report: StatusReport
  /// Of a failed unlock: what happened. Nil: what the report has as reasons.
  public var failure: String?

  public init(_ kind: Kind, previousState: BootState?, report: StatusReport, failure: String? = nil) {
    self.kind = kind
    self.previousState = previousState
    self.report = report
    self.failure = failure
  }

  /// The environment as `NAME=VALUE`, each value one line without control characters; what does not apply is empty.
  ///
  /// - Parameter now: seconds since 1970.
  public func environment(now: Double) -> [String] {
    let reason = failure.map(singleLine) ?? report.reasonLine
    var summary = "\(singleLine(report.host)): \(report.summary(now: now))"
    if kind == .failed { summary += "; the unlock failed" + (reason.isEmpty ? "" : ": \(reason)") }
    return [
      "MAILBOOT_EVENT=\(kind.rawValue)",
      "MAILBOOT_STATE=\(report.state.rawValue)",
      "MAILBOOT_PREVIOUS_STATE=\(previousState?.rawValue ?? "")",
      "MAILBOOT_HOST=\(singleLine(report.host))",
      "MAILBOOT_SINCE=\(report.since.map(timestamp) ?? "")",
      "MAILBOOT_SUMMARY=\(summary)",
      "MAILBOOT_REASON=\(reason)",
    ]
  }

  /// What stands on standard input: the status as `mailboot status --format json` prints it.
  public var input: String { report.json().rendered() + "\n" }
}
