import MailbootCore

/// Starting again what has failed, see `Recovery`.
extension WaitService {
  /// Called after each look.
  func noteForRecovery() {
    recovery.look(report, at: Reactor.monotonic())
    due[.restart] = recovery.due
  }

  func restartFailed() {
    // One run at a time; the end of this one has it looked at again.
    guard !isRunAtWork, report.vault.mounted else { return schedule(.restart, in: 1) }
    let names = recovery.begin(at: Reactor.monotonic())
    guard !names.isEmpty else { return }
    warn("starting again: \(names.joined(separator: ", ")) (\(report.reasonLine))")
    do {
      // These alone, and nothing is taken back: what has come up stays, what somebody has stopped stays down.
      try start(
        .init(job: .unlock, source: .none, by: "mailboot", arguments: names.flatMap { ["--only", $0] }), input: nil,
        call: nil)
    } catch {
      warn(error.summary)
    }
  }
}
