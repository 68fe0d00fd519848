import ArgumentParser
import Console
import Glibc
import MailbootCore
import MailbootHost
import SecretMemory

/// What the service starts for each run: the same as the verbs for people, with the passphrase on standard input and a line of JSON
/// for each event on standard output.
struct RunVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "One run, as the service starts it.", shouldDisplay: false)

  @OptionGroup var common: ConfigurationOption
  @Argument var job: String
  @Option var via = "bus"
  @Option var by = "root"
  @Flag var token = false
  @Flag var keyFromDevice = false
  /// What comes on standard input may be as long as a key file.
  @Flag var keyFile = false
  @Flag var noStart = false
  @Option var only: [String] = []
  @Option var timeout: Int?
  @Flag var kill = false
  @Flag var emergency = false

  func perform(_ terminal: Terminal) -> Status {
    let output = RunOutput()
    func emit(_ message: RunMessage) { output.write(message) }
    guard var settings = common.load(terminal) else {
      let text = "the configuration has an error"
      emit(.failed(FailureReport(code: 78, summary: text, evidence: [], hint: "see `mailboot config check`")))
      return ExitCode.configuration.rawValue
    }
    if let timeout {
      settings.unlock.deviceTimeout = timeout
      settings.unlock.serviceTimeout = max(1, timeout)
    }
    do throws(Failure) {
      try requireRoot("run")
      guard let job = RunJob(rawValue: job) else { throw .usage("there is no job \(job)", hint: nil) }
      let reactor = try Reactor()
      let summary: UnlockSummary
      switch job {
      case .unlock: summary = try unlock(settings, reactor, emit)
      case .lock: summary = try lock(settings, reactor, emit)
      case .verify: summary = try verify(settings, reactor, emit)
      }
      emit(.done(summary))
      return 0
    } catch {
      emit(.failed(Complaint(terminal: terminal, configuration: settings).report(error)))
      return error.exitCode.rawValue
    }
  }

  private typealias Emit = (RunMessage) -> Void

  private func unlock(
    _ settings: Configuration, _ reactor: Reactor, _ emit: @escaping Emit
  ) throws(Failure) -> UnlockSummary {
    let unlocker = try Unlocker(
      configuration: settings, reactor: reactor, user: by, report: { emit(.progress($0)) },
      warn: { emit(.warning($0)) })
    let kind = UnlockSource(rawValue: via) ?? .bus
    let source = HandedSource(
      kind, isLong: keyFile || kind == .keyFile, reactor: reactor,
      origin: token
        ? .token
        : keyFromDevice
          ? .device(settings.wait.keyDevice ?? "", file: settings.wait.keyFile ?? "")
          : .standardInput)
    if !only.isEmpty { return try unlocker.startAgain(only) }
    // Whoever only wants what is missing completed has no passphrase.
    return try unlocker.run(source: kind == .none ? nil : source, start: !noStart)
  }

  private func lock(
    _ settings: Configuration, _ reactor: Reactor, _ emit: @escaping Emit
  ) throws(Failure) -> UnlockSummary {
    let locker = Locker(
      configuration: settings, reactor: reactor, user: by, report: { emit(.progress($0)) },
      warn: { emit(.warning($0)) })
    let result = try emergency ? locker.lockInEmergency() : locker.lock(kill: kill)
    return UnlockSummary(source: nil, seconds: result.seconds, steps: result.steps, checks: [])
  }

  private func verify(
    _ settings: Configuration, _ reactor: Reactor, _ emit: @escaping Emit
  ) throws(Failure) -> UnlockSummary {
    let begun = Reactor.monotonic()
    let verifier = try Verifier(configuration: settings, reactor: reactor, user: by, warn: { emit(.warning($0)) })
    let result = try verifier.run { emit(.progress($0)) }
    if let failure = result.failure { throw failure }
    return UnlockSummary(
      source: nil, seconds: Reactor.monotonic() - begun, steps: [], checks: result.verdicts.records)
  }
}
