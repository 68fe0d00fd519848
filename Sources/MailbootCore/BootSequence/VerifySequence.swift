/// Every check and every probe on an open vault, changing nothing.
public struct VerifySequence {
  public private(set) var verdicts: Verdicts
  public private(set) var probes: [String: ProbeRecord] = [:]
  /// Services that are not ready, by name, in the order of the configuration.
  public private(set) var failures: [(name: String, failure: ServiceFailure)] = []

  /// What is to be said of what is wrong, if anything is: a check that failed is the cause of a service that fails, so it comes first.
  public var failure: Failure? {
    if !verdicts.failed.isEmpty { return .verification(verdicts.failed) }
    return failures.first.map { .service(name: $0.name, $0.failure) }
  }

  /// - Parameter absent: services that are not asked, because their vault is closed.
  /// - Throws: only when the machine cannot be asked, or `.interrupted`; what is wrong is in the result.
  public init(
    configuration: Configuration, services port: any ServicesPort, clock: any ClockPort, absent: Set<Int> = [],
    report: (Progress) -> Void
  ) throws(Failure) {
    verdicts = Verdicts(configuration.verify)
    var waiting = CheckGroup.allCases.filter(verdicts.wants)
    var done = Set(CheckGroup.allCases).subtracting(waiting)
    let begun = clock.monotonic()
    var going = configuration.services.count - absent.count
    var failed: [Int: ServiceFailure] = [:]
    for index in configuration.services.indices where !absent.contains(index) {
      report(.began(.service(configuration.services[index].name)))
      port.begin(service: index, start: false)
    }
    while true {
      let ready = waiting.filter { $0.after.allSatisfy(done.contains) }
      waiting.removeAll(where: ready.contains)
      for group in ready {
        report(.began(.check(group)))
        port.begin(check: group)
      }
      going += ready.count
      if going == 0 { break }
      let event: ServicesEvent
      do {
        event = try port.next()
      } catch {
        port.abandon()
        throw error
      }
      going -= 1
      let seconds = clock.monotonic() - begun
      switch event {
      case .checked(let group, let findings):
        done.insert(group)
        report(.checked(group, verdicts.take(findings, of: group, at: clock.wall()), seconds: seconds))
      case .ready(let index, _, let probe):
        let name = configuration.services[index].name
        if let probe { probes[name] = probe }
        report(.ended(.service(name), .unchanged, seconds: seconds, detail: probe?.detail))
      case .failed(let index, let failure, let probe):
        let name = configuration.services[index].name
        if let probe { probes[name] = probe }
        failed[index] = failure
        report(.failed(.service(name), seconds: seconds))
      case .prepared: break
      }
    }
    failures = failed.sorted { $0.key < $1.key }.map { (configuration.services[$0.key].name, $0.value) }
  }
}
