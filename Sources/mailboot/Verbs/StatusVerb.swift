import ArgumentParser
import Console
import JSON
import MailbootConfiguration
import MailbootCore
import MailbootHost
import Text

extension StatusFormat: ExpressibleByArgument {}

struct StatusVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "What is true now; needs no privilege.",
    discussion: """
      Exit codes: 0 ready, 1 can't tell, 2 locked, 3 degraded, 4 busy. With `--format nagios` those of a plugin: \
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

/// - Parameter path: the configuration file; nil: the standard one.
func showStatus(
  path: String?, _ format: StatusFormat, probe: Bool, watch: Bool = false, _ terminal: Terminal
) -> Status {
  let settings: Configuration
  do throws(Failure) {
    settings = completed(try ConfigurationFiles(path: path).configuration)
  } catch {
    let code = complain(error, Configuration(), terminal)
    return sayUnknown(firstIssue(error) ?? error.summary, format, otherwise: code)
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
  say(report.rendered(format, terminal))
  return report.exitStatus(format)
}

private func firstIssue(_ failure: Failure) -> String? {
  guard case .configuration(let error) = failure, let issue = error.issues.first else { return nil }
  return "\(place(issue.origin)): \(issue.key.isEmpty ? "" : "\(issue.key) ")\(issue.message)"
}
