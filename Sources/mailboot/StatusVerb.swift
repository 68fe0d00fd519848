import ArgumentParser
import Console
import MailbootCore
import MailbootHost

enum StatusFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, prometheus, nagios
}

struct StatusVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "What is true now; needs no privilege.",
    discussion: """
      Exit codes: 0 ready, 1 can't tell, 2 locked, 3 degraded, 4 busy. With `--format nagios` those of a plugin:
      0 ready, 1 busy, 2 locked or degraded, 3 anything else.
      """)

  @OptionGroup var common: ConfigurationOption
  @Option(help: "text, json, prometheus or nagios.")
  var format = StatusFormat.text
  @Flag(help: "Ask the services themselves first (as root).")
  var probe = false
  @Flag(help: "Go on and show the status anew on each change.")
  var watch = false

  func perform(_ terminal: Terminal) -> Status {
    showStatus(path: common.config, format, probe: probe, watch: watch, terminal)
  }
}

/// The format of the plain forms of `status` that monitoring calls every minute; nil: parse the arguments as usual. These forms do
/// without ArgumentParser, whose reflection costs more than all the rest of a status (9 of 18 million instructions).
func plainStatus(_ arguments: [String]) -> StatusFormat? {
  if arguments == ["status"] { return .text }
  guard arguments.count == 3, arguments[..<2] == ["status", "--format"] else { return nil }
  return StatusFormat(rawValue: arguments[2])
}

/// - Parameter path: the configuration file; nil: the standard one.
func showStatus(
  path: String?, _ format: StatusFormat, probe: Bool, watch: Bool = false, _ terminal: Terminal
) -> Status {
  let settings: Configuration
  do throws(Failure) {
    settings = try ConfigurationFiles(path: path).configuration
  } catch {
    let code = complain(error, Configuration(), terminal)
    guard format == .nagios else { return code }
    // Whoever runs plugins reads standard output, and knows four codes.
    say(StatusReport.nagiosUnknown(firstIssue(error) ?? error.summary))
    return NagiosStatus.unknown.rawValue
  }
  if probe {
    do throws(Failure) {
      try requireRoot("status --probe")
      try Verifier(configuration: settings, reactor: try Reactor(), warn: { tell("warning: \($0)") }).probe()
    } catch {
      if case .notRoot = error { return complain(error, settings, terminal) }
      // The status itself is still worth having.
      tell("warning: \(visible(error.summary))")
    }
  }
  let reader = StatusReader(configuration: settings)
  if watch { return watchStatus(settings, reader, format, terminal) }
  let report = reader.report()
  say(rendered(report, format, terminal))
  return exitCode(report, format)
}

private func firstIssue(_ failure: Failure) -> String? {
  guard case .configuration(let error) = failure, let issue = error.issues.first else { return nil }
  return "\(place(issue.origin)): \(issue.key.isEmpty ? "" : "\(issue.key) ")\(issue.message)"
}

/// Without the last line's end.
func rendered(_ report: StatusReport, _ format: StatusFormat, _ terminal: Terminal) -> String {
  switch format {
  case .json: report.json().rendered()
  case .prometheus: String(report.prometheus(version: Version.text).dropLast())
  case .nagios: report.nagios(now: Reactor.wall())
  case .text:
    StatusText(report: report, terminal: terminal, now: Reactor.wall()).lines().map(visible).joined(separator: "\n")
  }
}

func exitCode(_ report: StatusReport, _ format: StatusFormat) -> Status {
  format == .nagios ? report.state.nagiosStatus.rawValue : report.state.statusExitCode
}
