import Console
import MailHost
import Text

/// A plan as a person reads it.
struct PlanText {
  private let plan: HostPlan
  private let terminal: Terminal
  private let withDiffs: Bool
  private let command: String?

  /// - Parameter command: what makes the changes; nil: they are being made.
  init(_ plan: HostPlan, terminal: Terminal, withDiffs: Bool, command: String? = "mailhost apply") {
    self.command = command
    self.plan = plan
    self.terminal = terminal
    self.withDiffs = withDiffs
  }

  func show() {
    for warning in plan.warnings { tell("warning: " + visible(warning)) }
    for obstacle in plan.obstacles { tell("missing: " + visible(obstacle.text)) }
    for change in plan.changes { show(change) }
    let undecided = plan.undecided
    if !undecided.isEmpty { showDecisions(undecided) }
    let count = plan.changes.count { $0.action != .keep }
    if plan.isEmpty {
      say("nothing to do")
    } else if count > 0, let command {
      say("\(count) \(count == 1 ? "change" : "changes"); `\(command)` makes them")
    }
  }

  private func show(_ change: HostChange) {
    let word = change.action.rawValue.padded(8)
    let colour: Terminal.Colour = [.decide, .wait].contains(change.action) ? .yellow : .green
    let reason = change.reason.map { " (\($0))" } ?? ""
    say(terminal.coloured(word, colour) + visible("\(change.kind.rawValue) \(change.subject)\(reason)"))
    guard withDiffs else { return }
    for line in change.diff.dropFirst(2) {
      let shown = "        " + visible(line)
      switch line.first {
      case "+": say(terminal.coloured(shown, .green))
      case "-": say(terminal.coloured(shown, .red))
      default: say(shown)
      }
    }
  }

  private func showDecisions(_ changes: [HostChange]) {
    for change in changes {
      let file = change.subject
      say("")
      say(visible("\(file) \(change.reason ?? "is not ours"). Nothing is applied before you have said one of:"))
      let command = command ?? ""
      if command == "mailhost apply" { say("  \(command) --adopt \(file)       your lines go into mailhost.toml") }
      say("  \(command) --keep \(file)        it stays as you have it")
      say("  \(command) --overwrite \(file)   ours; yours is kept in the history")
    }
    say("")
  }
}
