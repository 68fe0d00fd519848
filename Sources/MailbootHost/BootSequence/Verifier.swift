import Glibc
import MailbootCore
import Systemd

/// `mailboot verify`, and the probes of `mailboot status --probe`.
public struct Verifier {
  private let configuration: Configuration
  private let directory: RuntimeDirectory
  private let units: UnitControl
  private let worker: Worker
  private let user: String
  private let warn: (String) -> Void

  public init(
    configuration: Configuration, reactor: Reactor, directory: RuntimeDirectory = RuntimeDirectory(),
    user: String = invokingUser(), warn: @escaping (String) -> Void
  ) throws(Failure) {
    self.user = user
    self.configuration = configuration
    self.directory = directory
    self.warn = warn
    worker = try Worker()
    units = try UnitControl(reactor: reactor)
  }

  /// Every check and probe; the results are kept for `status`.
  public func run(report: (Progress) -> Void) throws(Failure) -> VerifySequence {
    let kind = VaultKinds.make(configuration)
    let seen = try Observer(configuration, kind: kind).storage()
    let opening = seen.opening
    if opening == .closed { throw .locked }
    // Each check would hang.
    if let breakdown = opening.breakdown { throw breakdown }
    let closed = zip(configuration.otherVaults, seen.others).filter { !$1.isMounted }.map(\.0.name)
    let absent = configuration.services(without: Set(closed))
    for name in closed {
      let waiting = configuration.services(without: [name]).sorted().map { configuration.services[$0].name }
      warn(
        "the vault \(name) is closed" + (waiting.isEmpty ? "" : ": not asked: \(waiting.joined(separator: ", "))"))
    }
    return try locked { () throws(Failure) in try runLocked(absent: absent, report: report) }
  }

  private func runLocked(absent: Set<Int>, report: (Progress) -> Void) throws(Failure) -> VerifySequence {
    let services = HostServices(configuration: configuration, units: units, worker: worker, mayRollBack: false)
    let result = try VerifySequence(
      configuration: configuration, services: services, clock: HostClock(), absent: absent, report: report)
    keep { record in
      record.checks = result.verdicts.records
      record.probes.merge(result.probes) { $1 }
    }
    return result
  }

  /// Only the probes, of services whose units are active.
  public func probe() throws(Failure) {
    try locked { () throws(Failure) in try probeLocked() }
  }

  private func probeLocked() throws(Failure) {
    let services = HostServices(configuration: configuration, units: units, worker: worker, mayRollBack: false)
    for index in configuration.services.indices { services.begin(service: index, start: false) }
    var probes: [String: ProbeRecord] = [:]
    for _ in configuration.services.indices {
      switch try services.next() {
      case .ready(let index, _, let probe), .failed(let index, _, let probe):
        if let probe { probes[configuration.services[index].name] = probe }
      case .checked, .prepared: break
      }
    }
    keep { $0.probes.merge(probes) { $1 } }
  }

  /// While a run is busy its findings would be neither before nor after.
  private func locked<Result>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    try directory.withLock { () throws(Failure) in
      keep {
        $0.busy = BusyRecord(
          pid: getpid(), verb: "verify", by: user, phase: .verifying, since: Reactor.wall())
      }
      defer { keep { $0.busy = nil } }
      return try body()
    }
  }

  private func keep(_ change: (inout LastResults) -> Void) {
    let boot = bootID()
    var record = directory.record().flatMap { $0.bootID == boot ? $0 : nil } ?? LastResults(bootID: boot)
    change(&record)
    do { try directory.store(record) } catch { warn(error.summary) }
  }
}
