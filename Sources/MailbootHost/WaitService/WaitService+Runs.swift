import Glibc
import MailbootCore
import Systemd

/// Runs on their way.
extension WaitService {
  func start(_ request: RunUnit.Request, input: Int32?, call: IncomingCall?) throws(Failure) {
    runCount += 1
    var request = request
    if let configurationPath { request.arguments += ["--config", configurationPath] }
    runs.append(try RunUnit(request, number: runCount, input: input, call: call))
  }

  /// Takes what a run has said since the last time.
  func readMessages(of run: RunUnit) {
    for event in run.readMessages() {
      switch event {
      // An empty one was never tried.
      case .progress(.refused(empty: false)): noteRefused(run)
      // Right, whatever becomes of the rest.
      case .progress(.ended(.open, _, _, _)): delay.noteAccepted()
      case .warning(let text): warn(text)
      case .progress, .done, .failed: break
      }
      do {
        try endpoint.emit(
          Self.path, Self.interface, "Progress", [.string(event.line())],
          to: run.call?.sender)
      } catch {
        warn("the bus: \(error)")
      }
    }
    guard run.result != nil || run.hasEnded else { return }
    runs.removeAll { $0 === run }
    finish(run)
  }

  private func noteRefused(_ run: RunUnit) {
    delay.noteRefused(at: Reactor.monotonic())
    record.attemptsFailed += 1
    store()
    let rest = delay.remaining(at: Reactor.monotonic())
    if rest > 0 { warn("\(delay.refused) passphrases in a row were refused: the next one is taken in \(Int(rest)) s") }
  }

  private func finish(_ run: RunUnit) {
    var failure: FailureReport?
    switch run.result {
    case .done?: break
    case .failed(let report)?: failure = report
    default:
      failure = FailureReport(
        code: ExitCode.failure.rawValue, summary: "the run ended without a word", evidence: [],
        hint: "see `journalctl -u \(run.unit)`")
    }
    answer(run, failure)
    // Nobody else is told: a key file too long, a credential that cannot be one.
    if let failure, run.call == nil, [.usage, .busy].contains(failure.exitCode) { warn(failure.summary) }
    observe()
    if let failure, run.job == .unlock, failure.exitCode != .passphrase, failure.exitCode != .busy,
      run.source != .token,
      failure.exitCode != .usage
    {
      runScripts(NotifyEvent(.failed, previousState: announced, report: report, failure: failure.summary))
    }
    if !report.vault.open {
      schedule(.announce)
      schedule(.source, in: max(0.1, delay.remaining(at: Reactor.monotonic())))
    }
  }

  private func answer(_ run: RunUnit, _ failure: FailureReport?) {
    guard let call = run.call else { return }
    do {
      if let failure {
        try call.replyError(
          Self.errorName(failure.exitCode),
          ([failure.summary] + (failure.hint.map { ["hint: \($0)"] } ?? [])).joined(separator: "\n"))
      } else {
        try call.reply()
      }
    } catch {
      warn("the answer over the bus: \(error)")
    }
  }
}
