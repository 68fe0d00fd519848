import MailbootCore
import Systemd

/// When a service that failed is started again.
struct Recovery {
  /// Whether all was well once: what never ran is not ours to start.
  var wasReady = false
  /// Whether the mount went away since, with the services that are bound to it.
  var mountWasLost = false
  var tries = 0

  /// Seconds to wait before each try; the last again and again.
  private static let delays = [5.0, 30, 120, 600]

  var delay: Double { Self.delays[min(tries, Self.delays.count - 1)] }
}

extension WaitService {
  /// Called after each look.
  func noteForRecovery() {
    switch report.state {
    case .ready:
      recovery = Recovery(wasReady: true)
      due[.restart] = nil
    case .locked: recovery = Recovery()
    case .degraded where recovery.wasReady:
      if !report.vault.mounted {
        recovery.mountWasLost = true
      } else if isToBeRestarted, due[.restart] == nil {
        schedule(.restart, in: recovery.delay)
      }
    default: break
    }
  }

  /// What an administrator stopped is inactive and stays so; what died is failed.
  private var isToBeRestarted: Bool {
    report.vault.mounted
      && report.services.contains { service in
        service.units.contains { $0.activeState == "failed" || recovery.mountWasLost && $0.activeState == "inactive" }
      }
  }

  func restartFailed() {
    guard report.state == .degraded, recovery.wasReady, isToBeRestarted, runs.isEmpty else { return }
    recovery.tries += 1
    warn("starting again what has failed: \(report.reasonLine)")
    do {
      try start(.init(job: .unlock, source: .none, by: "mailboot", arguments: []), input: nil, call: nil)
    } catch {
      warn(error.summary)
    }
  }
}
