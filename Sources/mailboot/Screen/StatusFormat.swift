import Console
import JSON
import MailbootCore
import MailbootHost
import Text

/// What `mailboot status` writes.
public enum StatusFormat: String, CaseIterable, Sendable {
  case text, json, prometheus, nagios
}

/// Says what must be said on standard output when a status cannot be told: whoever runs plugins reads only that, and knows four codes.
/// - Parameter code: for every other format.
/// - Returns: the exit code.
public func sayUnknown(_ why: String, _ format: StatusFormat?, otherwise code: Int32) -> Int32 {
  guard format == .nagios else { return code }
  say(StatusReport.nagiosUnknown(why))
  return NagiosStatus.unknown.rawValue
}

extension StatusReport {
  /// The report in a format, without the last line's end.
  public func rendered(_ format: StatusFormat, _ terminal: Terminal) -> String {
    switch format {
    case .json: json().rendered()
    case .prometheus: String(prometheus(version: Version.text).dropLast())
    case .nagios: nagios(now: Reactor.wall())
    case .text:
      StatusText(report: self, terminal: terminal, now: Reactor.wall()).lines().map(visible).joined(separator: "\n")
    }
  }

  /// What `status` exits with.
  public func exitStatus(_ format: StatusFormat) -> Int32 {
    format == .nagios ? state.nagiosStatus.rawValue : state.statusExitCode
  }
}
