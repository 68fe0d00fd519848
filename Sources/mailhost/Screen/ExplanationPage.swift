import Console
import MailHost
import MailHostProof
import MailbootCore
import Text

/// Explanations as text, 80 columns wide.
struct ExplanationPage {
  /// Whether all there is gets one line each.
  let isList: Bool
  private let column = Terminal(columns: 80 - margin)
  private static let margin = 11
  private let terminal = Terminal(descriptor: 1)

  init(isList: Bool) { self.isList = isList }

  func show(_ entries: [SettingsGuide.Entry], of book: ExplanationBook) {
    if isList { say(visibleInLine(book.config)) }
    for entry in entries {
      let value = book.value(of: entry) ?? ""
      if isList {
        line(entry.key, value)
        continue
      }
      say(terminal.coloured(visibleInLine(value.isEmpty ? entry.key : "\(entry.key) = \(value)"), .bold))
      let place = book.node(entry.key).map { "\($0.origin.file), line \($0.origin.line)" }
      row("where", place ?? "not in \(book.config)")
      row(entry.kind == .standard ? "default" : "example", entry.value)
      row("why", entry.text)
    }
  }

  func show(_ settings: [ExplainedSetting]) {
    if isList {
      list(settings)
      return
    }
    // Settings with one reason are told of together.
    var groups: [[ExplainedSetting]] = []
    for setting in settings {
      if let last = groups.last?.last, last.file == setting.file, last.reason == setting.reason {
        groups[groups.count - 1].append(setting)
      } else {
        groups.append([setting])
      }
    }
    for group in groups {
      guard let first = group.first else { continue }
      for setting in group {
        let text = setting.value.isEmpty ? setting.name : "\(setting.name) = \(setting.value)"
        say(terminal.coloured(visibleInLine(text), .bold))
      }
      let lines = group.map { String($0.line) }.joined(separator: ", ")
      row("where", "\(first.file), line\(group.count > 1 ? "s" : "") \(lines)")
      row("why", first.reason.text.isEmpty ? "nothing is said about it" : first.reason.text)
      if groups.count > 1 { continue }
      row("since", first.reason.since ?? "any version")
      for proof in first.reason.proofs {
        row("proof", proof + (ProofName(rawValue: proof).map { ": " + $0.meaning } ?? ""))
      }
      if first.reason.proofs.isEmpty { row("proof", "none in `mailhost test`") }
    }
  }

  private func list(_ settings: [ExplainedSetting]) {
    var file = ""
    for setting in settings {
      if setting.file != file { say(setting.file) }
      file = setting.file
      line(setting.name, setting.value)
    }
  }

  private func line(_ name: String, _ value: String) {
    say(terminal.fitted("  " + visibleInLine(value.isEmpty ? name : "\(name) = \(value)")))
  }

  private func row(_ name: String, _ text: String) {
    var begin = "  " + name.padded(Self.margin - 2)
    for line in column.wrapped(visibleInLine(text), indent: 0).split(separator: "\n") {
      say(begin + line)
      begin = String(repeating: " ", count: Self.margin)
    }
  }
}
