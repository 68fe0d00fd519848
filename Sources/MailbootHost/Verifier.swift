import Glibc
import MailbootCore
import Systemd

/// `mailboot verify`, and the probes of `mailboot status --probe`.
public struct Verifier {
  private let configuration: Configuration
  private let directory: RunDirectory
  private let units: UnitControl
  private let worker: Worker
  private let warn: (String) -> Void

  public init(
    configuration: Configuration, reactor: Reactor, directory: RunDirectory = RunDirectory(),
    warn: @escaping (String) -> Void
  ) throws(Failure) {
    self.configuration = configuration
    self.directory = directory
    self.warn = warn
    worker = try Worker()
    units = try UnitControl(reactor: reactor)
  }

  /// Every check and probe; the results are kept for `status`.
  public func run(report: (Progress) -> Void) throws(Failure) -> VerifyRun {
    guard DeviceMapper.mapping(named: configuration.vault.mapping) != nil else { throw .locked }
    let services = HostServices(configuration: configuration, units: units, worker: worker)
    let result = try VerifyRun(
      configuration: configuration, services: services, clock: HostClock(), report: report)
    try keep { record in
      record.checks = result.verdicts.records
      record.probes.merge(result.probes) { $1 }
    }
    return result
  }

  /// Only the probes, of services whose units are active.
  public func probe() throws(Failure) {
    let services = HostServices(configuration: configuration, units: units, worker: worker)
    for index in configuration.services.indices { services.begin(service: index, start: false) }
    var probes: [String: ProbeRecord] = [:]
    for _ in configuration.services.indices {
      switch try services.next() {
      case .ready(let index, _, let probe), .failed(let index, _, let probe):
        if let probe { probes[configuration.services[index].name] = probe }
      case .checked: break
      }
    }
    try keep { $0.probes.merge(probes) { $1 } }
  }

  /// While a run is busy the record is that run's to write.
  private func keep(_ change: (inout RunRecord) -> Void) throws(Failure) {
    try directory.withLock { () throws(Failure) in
      let boot = bootID()
      var record = directory.record().flatMap { $0.bootID == boot ? $0 : nil } ?? RunRecord(bootID: boot)
      record.busy = nil
      change(&record)
      do throws(Failure) { try directory.store(record) } catch { warn(error.summary) }
    }
  }
}
