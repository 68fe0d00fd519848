import Console
import JSON
import MailbootCore
import MailbootHost
import Text

/// `status --watch`: until Ctrl-C, or until nobody reads any more.
func watchStatus(
  _ settings: Configuration, _ reader: StatusReader, _ format: StatusFormat, _ terminal: Terminal
) -> Status {
  let screen = format == .text ? StatusScreen() : nil
  do throws(Failure) {
    let watch = StatusWatch(
      reactor: try Reactor(), sources: standardWatchSources(settings, warn: { tell("warning: \(visible($0))") }),
      report: reader.report)
    defer { screen?.leave() }
    let last = try watch.run(
      redraw: { report in
        guard let screen else { return nil }
        screen.draw(report.rendered(.text, terminal))
        return secondsUntilOlder(report)
      },
      show: { report in
        if screen == nil { say(entry(report, format, terminal)) }
      })
    return last.exitStatus(format)
  } catch {
    // Ctrl-C is how a watch ends: nothing to complain about.
    if case .interrupted = error { return error.exitCode.rawValue }
    return complain(error, settings, terminal)
  }
}

/// One entry of a stream: a line of JSON or for Nagios, or a block that an empty line ends.
private func entry(_ report: StatusReport, _ format: StatusFormat, _ terminal: Terminal) -> String {
  switch format {
  case .json: report.json().line()
  case .nagios: report.rendered(format, terminal)
  case .text, .prometheus: report.rendered(format, terminal) + "\n"
  }
}

/// When an age on the screen will read otherwise: those below two minutes count seconds.
private func secondsUntilOlder(_ report: StatusReport) -> Double {
  let now = Reactor.wall()
  let times = [report.since, report.checks.first?.at].compactMap { $0 } + report.services.compactMap(\.probedAt)
  return times.contains { now - $0 < 120 } ? 1 : 60
}
