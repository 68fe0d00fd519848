import Console
import MailbootCore
import Text

/// `mailboot history` for people, within 80 columns.
struct HistoryText {
  let history: History

  private static let width = 79
  private static let indent = 6

  func lines() -> [String] {
    let widest = history.boots.flatMap(\.runs).map { Self.who($0).count }.max() ?? 0
    return history.boots.enumerated().flatMap { index, boot in
      (index == 0 ? [] : [""]) + lines(boot, who: min(widest, 24))
    }
  }

  private func lines(_ boot: History.Boot, who: Int) -> [String] {
    var lines = ["boot \(timestamp(boot.at))"]
    for run in boot.runs {
      let head = "  \(timestamp(run.at))  \(run.verb.rawValue.padded(6))  \(Self.who(run).padded(who))  "
      lines += Self.wrapped(head, Self.words(of: run), indent: Self.indent)
      let steps = run.steps.filter { $0.outcome == .failed || $0.seconds >= 0.05 }
      if !steps.isEmpty { lines += Self.wrapped("      ", Self.separated(steps.map(Self.words)), indent: Self.indent) }
      if let reason = run.reason {
        lines += Self.wrapped(
          "      ", reason.split(whereSeparator: \.isWhitespace).map(String.init), indent: Self.indent)
      }
    }
    if boot.refused > 0 { lines.append("  \(Self.refusals(boot.refused)), and no unlock after") }
    if boot.runs.isEmpty && boot.refused == 0 { lines.append("  no unlock is recorded") }
    return lines
  }

  private static func who(_ run: History.Run) -> String {
    run.via.map { "\(run.by) (\($0.rawValue))" } ?? run.by
  }

  /// What to say of a run; each part stays on one line.
  private static func words(of run: History.Run) -> [String] {
    var parts: [String] = []
    switch run.outcome {
    case .done: break
    case .failed:
      parts.append("FAILED" + (run.code.map { " (\($0))" } ?? "") + (run.failedStep.map { " at \($0)" } ?? ""))
    case .unfinished: parts.append("has no end recorded")
    }
    if run.emergency { parts.append("emergency") }
    if let seconds = run.seconds { parts.append("\(decimal(seconds, places: 1)) s") }
    if let seconds = run.keyGone { parts.append("key gone after \(decimal(seconds, places: 1)) s") }
    if let locked = run.locked { parts.append("locked for \(age(locked))") }
    if run.refused > 0 { parts.append(refusals(run.refused)) }
    return separated(parts)
  }

  private static func refusals(_ count: Int) -> String {
    "\(count) \(count == 1 ? "passphrase" : "passphrases") refused"
  }

  private static func words(_ step: StepRecord) -> String {
    step.outcome == .failed
      ? "\(step.name) FAILED \(decimal(step.seconds, places: 1)) s"
      : "\(step.name) \(decimal(step.seconds, places: 1)) s"
  }

  private static func separated(_ parts: [String]) -> [String] {
    parts.enumerated().map { $0.offset < parts.count - 1 ? $0.element + "," : $0.element }
  }

  /// Fills lines with words, none of them broken.
  private static func wrapped(_ head: String, _ words: [String], indent: Int) -> [String] {
    var lines: [String] = []
    var line = head
    var isBare = true
    for word in words {
      if !isBare && line.count + 1 + word.count > width {
        lines.append(line)
        line = String(repeating: " ", count: indent) + word
      } else {
        line += (isBare ? "" : " ") + word
      }
      isBare = false
    }
    return lines + [line]
  }
}
