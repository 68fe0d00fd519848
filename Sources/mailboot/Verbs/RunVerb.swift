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
  @Flag var noStart = false
  @Option var only: [String] = []
  @Option var timeout: Int?
  @Flag var kill = false
  @Flag var emergency = false

  func perform(_ terminal: Terminal) -> Status {
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
      case .unlock: summary = try unlock(settings, reactor)
      case .lock: summary = try lock(settings, reactor)
      case .verify: summary = try verify(settings, reactor)
      }
      emit(.done(summary))
      return 0
    } catch {
      emit(.failed(Complaint(terminal: terminal, configuration: settings).report(error)))
      return error.exitCode.rawValue
    }
  }

  private func unlock(_ settings: Configuration, _ reactor: Reactor) throws(Failure) -> UnlockSummary {
    let unlocker = try Unlocker(
      configuration: settings, reactor: reactor, user: by, report: { emit(.progress($0)) },
      warn: { emit(.warning($0)) })
    let kind = UnlockSource(rawValue: via) ?? .bus
    let source = EngineSource(
      kind, reactor: reactor,
      origin: token
        ? .token
        : keyFromDevice
          ? .device(settings.wait.keyDevice ?? "", file: settings.wait.keyFile ?? "")
          : .standardInput)
    if !only.isEmpty { return try unlocker.startAgain(only) }
    // Whoever only wants what is missing completed has no passphrase.
    return try unlocker.run(source: kind == .none ? nil : source, start: !noStart)
  }

  private func lock(_ settings: Configuration, _ reactor: Reactor) throws(Failure) -> UnlockSummary {
    let locker = Locker(
      configuration: settings, reactor: reactor, user: by, report: { emit(.progress($0)) },
      warn: { emit(.warning($0)) })
    let result = try emergency ? locker.lockInEmergency() : locker.lock(kill: kill)
    return UnlockSummary(source: nil, seconds: result.seconds, steps: result.steps, checks: [])
  }

  private func verify(_ settings: Configuration, _ reactor: Reactor) throws(Failure) -> UnlockSummary {
    let begun = Reactor.monotonic()
    let verifier = try Verifier(configuration: settings, reactor: reactor, user: by, warn: { emit(.warning($0)) })
    let result = try verifier.run { emit(.progress($0)) }
    if let failure = result.failure { throw failure }
    return UnlockSummary(
      source: nil, seconds: Reactor.monotonic() - begun, steps: [], checks: result.verdicts.records)
  }

  /// A service that has gone does not end the run.
  private func emit(_ event: RunMessage) {
    let bytes = Array((event.line() + "\n").utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      done += count
    }
  }
}

/// A passphrase that somebody else has handed over: one try, and no longer than a few seconds until it is here.
final class EngineSource: PassphraseSource {
  enum Origin {
    case standardInput
    case token
    case device(String, file: String)
  }

  let kind: UnlockSource
  let attempts = 1
  private let origin: Origin
  private let reactor: Reactor

  /// Whoever passes a descriptor has the passphrase at hand.
  private static let patience: Duration = .seconds(10)
  private static let passphraseLimit = 8192
  private static let keyFileLimit = 8 << 20

  init(_ kind: UnlockSource, reactor: Reactor, origin: Origin) {
    self.kind = kind
    self.reactor = reactor
    self.origin = origin
  }

  func ask(attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    switch origin {
    case .token: return .token
    case .standardInput: return .secret(try read(0))
    case .device(let device, let file):
      return .secret(
        try KeyDevice(device: device, file: file).withFile(reactor) { (descriptor) throws(Failure) in
          try read(descriptor)
        })
    }
  }

  func refused(empty: Bool) {}

  private func read(_ descriptor: Int32) throws(Failure) -> SecretBytes {
    do {
      return try readSecret(
        from: descriptor, limit: kind == .keyFile ? Self.keyFileLimit : Self.passphraseLimit,
        dropTrailingNewline: false, deadline: .now + Self.patience, signals: reactor.signalDescriptor)
    } catch .interrupted(let signal) {
      throw .interrupted(signal: signal)
    } catch {
      throw .usage("\(error)", hint: nil)
    }
  }
}
