import Glibc
import MailbootCore
import SecretMemory

/// The work is the service's, where it is there.
extension Unlocker {
  /// Seconds in which a service that is well has long answered.
  private static let patience = 3.0

  /// Root need not wait for a service that somebody keeps busy, or that hangs.
  func serviceTakesCalls() throws(Failure) -> Bool {
    guard let remote else { return false }
    guard geteuid() == 0 else { return true }
    if try remote.answers(within: Self.patience, units.reactor) { return true }
    warn("the service does not answer within \(Int(Self.patience)) s: the work is done without it")
    return false
  }

  /// Has the service do it.
  func delegate(
    _ passphrase: borrowing SecretBytes, source: UnlockSource, start: Bool
  ) throws(Failure) -> UnlockSummary {
    guard let remote else { throw .notRoot(verb: "unlock") }
    wasDelegated = true
    let before = freshRecord()
    let outcome = try remote.unlock(
      passphrase, source: source, start: start, timeout: timeout, reactor: units.reactor, report: report, warn: warn)
    switch outcome {
    case .done(let summary): return summary
    case .left:
      warn("the service was ended meanwhile (an upgrade?); what it has begun goes on")
      return try LeftRun(directory: directory, reactor: units.reactor, before: before).summary()
    }
  }
}
