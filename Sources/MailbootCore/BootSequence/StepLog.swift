/// The steps of one run as they go: tells whoever watches when each begins and how it ended, and keeps the record of them.
///
/// Times are seconds on the monotonic clock.
final class StepLog {
  private let clock: any ClockPort
  private let report: (Progress) -> Void
  /// When the run began: the records count from here.
  private var runBegan: Double

  /// In the order in which they ended.
  private(set) var steps: [StepRecord] = []

  /// The run begins now.
  init(clock: any ClockPort, report: @escaping (Progress) -> Void) {
    self.clock = clock
    self.report = report
    runBegan = clock.monotonic()
  }

  /// Has the run begin at another time than this was made.
  func restart(at time: Double) { runBegan = time }

  /// A step from begin to end; one that throws has failed.
  @discardableResult
  func perform(_ step: Step, _ work: () throws(Failure) -> StepOutcome) throws(Failure) -> StepOutcome {
    let begun = begin(step)
    do throws(Failure) {
      let outcome = try work()
      ended(step, outcome, begun: begun)
      return outcome
    } catch {
      failed(step, begun: begun)
      throw error
    }
  }

  /// Says that a step begins.
  /// - Returns: now, for its end.
  func begin(_ step: Step) -> Double {
    report(.began(step))
    return clock.monotonic()
  }

  func ended(_ step: Step, _ outcome: StepOutcome, begun: Double, detail: String? = nil) {
    let seconds = note(step, outcome == .changed ? .changed : .unchanged, begun: begun)
    report(.ended(step, outcome, seconds: seconds, detail: detail))
  }

  func failed(_ step: Step, begun: Double) {
    report(.failed(step, seconds: note(step, .failed, begun: begun)))
  }

  /// Remembers a step that ends now, and returns how many seconds it took.
  func note(_ step: Step, _ outcome: StepRecord.Outcome, begun: Double) -> Double {
    let seconds = clock.monotonic() - begun
    steps.append(StepRecord(name: step.name, outcome: outcome, seconds: seconds, began: begun - runBegan))
    return seconds
  }
}
