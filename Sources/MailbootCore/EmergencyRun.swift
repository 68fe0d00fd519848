/// One emergency lock: the key first, then everything that uses it, whatever fails on the way.
///
/// No step waits for long and none keeps the next from being tried. Nothing is taken back: there is no way back without the passphrase.
public final class EmergencyRun {
  private let configuration: Configuration
  private let machine: any EmergencyPort
  private let clock: any ClockPort
  private let report: (Progress) -> Void
  /// On the monotonic clock.
  private let runBegan: Double

  public private(set) var steps: [StepRecord] = []
  /// Whether the kernel holds the key no more.
  public private(set) var isKeyGone = false

  public init(
    configuration: Configuration, machine: any EmergencyPort, clock: any ClockPort,
    report: @escaping (Progress) -> Void
  ) {
    self.configuration = configuration
    self.machine = machine
    self.clock = clock
    runBegan = clock.monotonic()
    self.report = report
  }

  /// The key alone. What has not been written to the disk by now is lost.
  public func revoke() {
    do {
      try perform(.revoke) { () throws(Failure) in try machine.revokeKey() }
      isKeyGone = true
    } catch {
      // Closing the vault takes the key away, too.
      report(.note("the key could not be taken away at once: \(error.summary)"))
    }
  }

  /// Everything else.
  /// - Throws: when the mapping is still there at the end, or a service still runs.
  public func clear() throws(Failure) {
    var first: Failure?
    do {
      try perform(.stopAll) { () throws(Failure) in try machine.stopServices() }
    } catch {
      first = error
    }
    // These two only make room for closing; whether they did shows there.
    try? perform(.users) { () throws(Failure) in try machine.endUsers() }
    try? perform(.unmount(configuration.vault.mount)) { () throws(Failure) in try machine.unmountAll() }
    do {
      try perform(.close(configuration.vault.mapping)) { () throws(Failure) in try machine.close() }
      isKeyGone = true
    } catch {
      first = error
    }
    if let first { throw .emergency(of: first, keyGone: isKeyGone) }
  }

  private func perform(_ step: Step, _ work: () throws(Failure) -> StepOutcome) throws(Failure) {
    report(.began(step))
    let begun = clock.monotonic()
    do {
      let outcome = try work()
      let seconds = note(step, outcome == .changed ? .changed : .unchanged, begun: begun)
      report(.ended(step, outcome, seconds: seconds, detail: nil))
    } catch {
      report(.failed(step, seconds: note(step, .failed, begun: begun)))
      throw error
    }
  }

  /// Remembers a step that ends now, and returns how long it took.
  private func note(_ step: Step, _ outcome: StepRecord.Outcome, begun: Double) -> Double {
    let seconds = clock.monotonic() - begun
    steps.append(StepRecord(name: step.name, outcome: outcome, seconds: seconds, began: begun - runBegan))
    return seconds
  }
}
