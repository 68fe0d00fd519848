import Glibc
import Linux
import MailbootCore

/// Asking the services, every minute or so.
extension WaitService {
  /// Seconds one probe may take.
  private static let patience = 10.0

  /// Seconds more after which a probe is no longer waited for: to look up a name may take longer than the probe allows.
  private static let grace = 10.0

  func beginProbes() {
    if report.vault.open, report.busy == nil {
      lookAtCertificate()
      takeQueueCount()
      queue.begin()
    }
    guard report.vault.open, probes.isEmpty, !isRunAtWork, report.busy == nil else {
      if report.vault.open { schedule(.probe, in: Double(configuration.monitoring.probeEvery)) }
      return
    }
    for service in configuration.services {
      // Without its units it is known not to answer.
      guard let url = service.probeText,
        report.services.first(where: { $0.name == service.name })?.units.allSatisfy(\.isActive) ?? false
      else { continue }
      do {
        probes[service.name] = try worker.begin(
          .probe, ProbeRequest(url: url, timeout: Self.patience, attemptTimeout: Self.patience))
      } catch {
        warn("\(service.name) cannot be asked: \(error.summary)")
      }
    }
    if probes.isEmpty {
      schedule(.probe, in: Double(configuration.monitoring.probeEvery))
    } else {
      probesEnd = Reactor.monotonic() + Self.patience + Self.grace
    }
  }

  func collectProbes() {
    guard !probes.isEmpty else { return }
    var answers = 0
    if Reactor.monotonic() >= probesEnd {
      for (name, child) in probes where !child.pump() {
        child.killAndReap()
        probes[name] = nil
        answers += 1
        let why = "no answer within \(Int(Self.patience + Self.grace)) s"
        keep(name, ProbeRecord(answered: false, detail: why, at: Reactor.wall()))
      }
    }
    for (name, child) in probes where child.pump() {
      probes[name] = nil
      answers += 1
      do {
        switch try worker.reply(ProbeReply.self, of: child) {
        case .answered(let text): keep(name, ProbeRecord(answered: true, detail: text, at: Reactor.wall()))
        case .silent(let reason): keep(name, ProbeRecord(answered: false, detail: reason, at: Reactor.wall()))
        }
      } catch {
        warn("\(name) cannot be asked: \(error.summary)")
      }
    }
    guard answers > 0 else { return }
    if probes.isEmpty {
      probesEnd = .infinity
      takeQueueCount()
      store()
      observe()
      schedule(.probe, in: Double(configuration.monitoring.probeEvery))
    }
  }

  private func keep(_ name: String, _ answer: ProbeRecord) { record.probes[name] = answer }
}
