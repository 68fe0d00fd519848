import Glibc
import MailbootCore

/// Looks at the certificates once a day: they end, and are renewed, without anybody unlocking anything.
final class CertificateWatch {
  /// Seconds between two looks.
  private static let interval = 86400.0
  /// Seconds one look may take.
  private static let patience = 600.0

  private let checker: HostChecker
  private let configuration: Configuration
  private var task: CheckTask?
  /// Monotonic seconds. Not at once: the unlock has just looked.
  private var due = Reactor.monotonic() + 3600

  init(_ configuration: Configuration, worker: Worker) {
    self.configuration = configuration
    checker = HostChecker(
      configuration: configuration, kind: VaultKinds.make(configuration), worker: worker, facts: CheckFacts(),
      mayRollBack: false)
  }

  /// Begins when it is time, and goes on with what was begun. To be called every minute or so.
  /// - Returns: the verdicts, once there are any.
  func turn() -> [CheckRecord] {
    // The keys are root's.
    guard geteuid() == 0, Verdicts(configuration.verify).wants(.certificate) else { return [] }
    if task == nil, Reactor.monotonic() >= due {
      checker.facts.postfix = nil
      task = checker.begin(.certificate, deadline: Reactor.monotonic() + Self.patience)
    }
    guard let task, task.advance() else { return [] }
    self.task = nil
    due = Reactor.monotonic() + Self.interval
    var verdicts = Verdicts(configuration.verify)
    return verdicts.take(task.findings ?? [], of: .certificate, at: Reactor.wall())
  }

  func abandon() { task?.abandon() }
}

extension WaitService {
  /// Goes with the rounds of probes.
  func lookAtCertificate() {
    let verdicts = certificates.turn()
    if verdicts.isEmpty { return }
    record.checks = verdicts
    store()
    schedule(.observe)
  }
}
