import Glibc
import MailbootCore
import Systemd

/// Runs on their way.
extension WaitService {
  /// Whether a run does more than to wait for its passphrase. Those who wait hold up nothing else.
  var isRunAtWork: Bool { runs.contains(where: \.isAtWork) }

  func start(_ request: RunUnit.Request, input: Int32?, call: IncomingCall?) throws(Failure) {
    runCount += 1
    var request = request
    if let configurationPath { request.arguments += ["--config", configurationPath] }
    runs.append(try RunUnit(request, program: program, number: runCount, input: input, call: call))
  }

  /// Takes what a run has said since the last time.
  func readMessages(of run: RunUnit) {
    for event in run.readMessages() {
      switch event {
      // An empty one was never tried.
      case .progress(.refused(empty: false)): noteRefused(run)
      // Right, whatever becomes of the rest.
      case .progress(.ended(.open, .changed, _, _)), .progress(.ended(.openVault, .changed, _, _)):
        delay.noteAccepted()
        callerDelays.noteAccepted()
      case .warning(let text): warn(text)
      case .progress, .done, .failed: break
      }
      tell(event, of: run)
    }
    guard run.result != nil || run.hasEnded else { return }
    runs.removeAll { $0 === run }
    finish(run)
  }

  /// To the caller alone: a failure comes with lines of the journal, which not everybody may read.
  private func tell(_ event: RunMessage, of run: RunUnit) {
    guard let call = run.call else { return }
    do {
      try endpoint.emit(Self.path, Self.interface, "Progress", [.string(event.line())], to: call.sender)
    } catch {
      warn("the bus: \(error)")
    }
  }

  private func noteRefused(_ run: RunUnit) {
    let now = Reactor.monotonic()
    record.attemptsFailed += 1
    store()
    if let uid = run.uid {
      callerDelays.noteRefused(of: uid, at: now)
      say(callerDelays.refused(of: uid), "of \(run.by) ", callerDelays.remaining(for: uid, at: now))
    } else {
      delay.noteRefused(at: now)
      say(delay.refused, "", delay.remaining(at: now))
    }
  }

  private func say(_ refused: Int, _ whose: String, _ rest: Double) {
    guard rest > 0 else { return }
    warn("\(refused) passphrases \(whose)in a row were refused: the next one is taken in \(Int(rest)) s")
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
    if run.job == .verify, let uid = run.uid, uid != 0 { membersVerifyEnded = Reactor.monotonic() }
    answer(run, failure)
    // Nobody else is told: a key file too long, a credential that cannot be one.
    if let failure, run.call == nil, [.usage, .busy].contains(failure.exitCode) { warn(failure.summary) }
    observe()
    if isNews(failure, of: run), let failure {
      runScripts(NotifyEvent(.failed, previousState: announced, report: report, failure: failure.summary))
    }
    if !report.vault.open {
      schedule(.announce)
      schedule(.source, in: max(0.1, delay.remaining(at: Reactor.monotonic())))
    }
  }

  /// Whether those who are told of failures want to hear of this one: not of what somebody mistyped, took back himself or was too late
  /// for, and of services that do not come up again once, not every ten minutes.
  private func isNews(_ failure: FailureReport?, of run: RunUnit) -> Bool {
    guard run.job == .unlock, run.source != .token else { return false }
    let isOfTheService = run.call == nil && run.source == .none
    guard let failure else {
      if isOfTheService { toldFailure = nil }
      return false
    }
    if [.passphrase, .busy, .usage, .interrupted].contains(failure.exitCode) { return false }
    if isOfTheService {
      defer { toldFailure = failure.summary }
      return toldFailure != failure.summary
    }
    return true
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
