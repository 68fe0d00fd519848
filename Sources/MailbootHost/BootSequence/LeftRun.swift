import MailbootCore

/// A run whose service has gone, as it does when the package is upgraded: what becomes of it stands in its record.
struct LeftRun {
  let directory: RuntimeDirectory
  let reactor: Reactor
  /// What the record said before it began.
  let before: LastResults
  /// Seconds it may take to get to the lock.
  var patience = 15.0

  /// Waits for its end.
  func summary() throws(Failure) -> UnlockSummary {
    let deadline = Reactor.monotonic() + patience
    while directory.isLocked() || (!hasEnded && Reactor.monotonic() < deadline) { try reactor.sleep(seconds: 0.2) }
    guard let now = directory.record() else { throw Self.unknown }
    if let unlock = now.lastUnlock, unlock != before.lastUnlock {
      if let failed = unlock.steps.last(where: { $0.outcome == .failed }) {
        throw .system("the unlock failed at \(failed.name); see `mailboot history` and `mailboot status`")
      }
      return UnlockSummary(source: unlock.via, seconds: unlock.seconds, steps: unlock.steps, checks: now.checks)
    }
    if now.attempts.refused > before.attempts.refused {
      throw .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: false)
    }
    throw Self.unknown
  }

  private var hasEnded: Bool {
    guard let now = directory.record() else { return false }
    return now.busy == nil && (now.lastUnlock != before.lastUnlock || now.attempts != before.attempts)
  }

  private static let unknown = Failure.system(
    "the service has gone, and nothing is known of what it has begun; see `mailboot status`")
}
