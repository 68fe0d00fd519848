import Console
import MailbootCore
import MailbootHost
import Text

/// Shows a run on standard error: a line for each step when it ends, and on a terminal below them, live, what goes on.
final class ProgressLines {
  private let terminal: Terminal
  /// What goes on, with the time it began.
  private var going: [(name: String, since: Double)] = []
  private var liveLine = false

  init(_ terminal: Terminal) {
    self.terminal = terminal
  }

  func take(_ progress: Progress) {
    switch progress {
    case .began(let step): going.append((step.name, Reactor.monotonic()))
    case .ended(let step, let outcome, let seconds, let detail):
      forget(step)
      line("ok", step.name, seconds, outcome == .unchanged ? already(step) : firstLine(detail))
    case .refused: going.removeAll { $0.name == "open" || $0.name.hasPrefix("open ") }
    case .failed(let step, let seconds):
      forget(step)
      line("FAIL", step.name, seconds, "")
    case .checked(let group, let records, let seconds):
      forget(.check(group))
      for record in records where record.result != .skip || record.detail != "off" {
        line(mark(record.result), "check \(record.name.rawValue)", seconds, record.detail)
      }
    case .leftClosed(let vault):
      forget(.openVault(vault.name))
      line("warn", "open \(vault.name)", nil, "stays closed: \(vault.why)")
    case .undoing:
      going = []
      show("taking back what this run did:")
    case .note(let text): show(visible(text))
    case .undone(let what, let trouble):
      line(trouble == nil ? "ok" : "FAIL", what, nil, trouble ?? "")
    }
    refresh()
  }

  /// Shows what goes on, anew. Called at least every second while something does.
  func refresh() {
    guard terminal.isLive else { return }
    clear()
    guard !going.isEmpty else { return }
    let now = Reactor.monotonic()
    let parts = going.map { "\($0.name) \(decimal(now - $0.since, places: 0)) s" }
    emit(terminal.coloured(terminal.fitted("  ...   " + parts.joined(separator: ", ")), .dim), to: 2)
    liveLine = true
  }

  /// Takes the live line away, before anything else is written.
  func clear() {
    guard liveLine else { return }
    emit("\r\u{1b}[K", to: 2)
    liveLine = false
  }

  private func forget(_ step: Step) {
    if let index = going.firstIndex(where: { $0.name == step.name }) { going.remove(at: index) }
  }

  private func mark(_ result: CheckResult) -> String {
    switch result {
    case .pass: "ok"
    case .warn: "warn"
    case .fail: "FAIL"
    case .skip: "skip"
    }
  }

  private func already(_ step: Step) -> String {
    switch step {
    case .open, .openVault: "already open"
    case .mount, .mountVault, .bind: "already mounted"
    case .check, .fill: ""
    case .service, .prepare: "already running"
    case .users: "nobody but the services"
    case .stop, .stopAll: "not running"
    case .unmount: "not mounted"
    case .close, .revoke, .revokeVault: "not open"
    }
  }

  private func firstLine(_ detail: String?) -> String {
    detail.map { brief($0) } ?? ""
  }

  private func line(_ mark: String, _ name: String, _ seconds: Double?, _ detail: String) {
    let time = seconds.map { decimal($0, places: 1) + " s" } ?? ""
    let rest = "  \(name.padded(24)) \(time.paddedLeft(7))  \(visible(detail))"
    let text = terminal.fitted("  \(mark.padded(4))\(rest)").trimmingEnd()
    // Coloured after fitting: escape codes take no columns.
    let colour: Terminal.Colour = mark == "ok" ? .green : mark == "FAIL" ? .red : mark == "warn" ? .yellow : .dim
    show("  " + terminal.coloured(mark.padded(4), colour) + text.dropFirst(6))
  }

  private func show(_ text: String) {
    clear()
    tell(text)
  }
}

extension String {
  fileprivate func trimmingEnd() -> String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
