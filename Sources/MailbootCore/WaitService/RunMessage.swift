import JSON

/// What a run tells whoever watches it, one line of JSON each: its progress, and at last its result.
///
/// A run that the service started writes these lines to its standard output; the service passes them on as the bus signal
/// `Progress`, and `mailboot` at a terminal shows them as if it had done the work itself. Their form is ours to change.
public enum RunMessage: Codable, Equatable, Sendable {
  case progress(Progress)
  case warning(String)
  /// The last line of a run that did what it was to do.
  case done(UnlockSummary)
  /// The last line of one that did not.
  case failed(FailureReport)

  /// Without the newline.
  public func line() -> String {
    // Only a type that breaks Codable's rules could fail here, and none does.
    (try? JSONText(encoding: self).line()) ?? "{}"
  }

  /// Nil for a line that is none of ours.
  public init?(line: some StringProtocol) {
    guard let json = JSONText(parsing: Array(line.utf8)), let event = try? json.decoded(as: RunMessage.self) else {
      return nil
    }
    self = event
  }
}

/// How a run went that did what it was to do.
public struct UnlockSummary: Codable, Equatable, Sendable {
  /// Nil for a lock.
  public var source: UnlockSource?
  public var seconds: Double
  public var steps: [StepRecord]
  public var checks: [CheckRecord]
  /// Further vaults that stay closed.
  public var closed: [ClosedVault]

  public init(
    source: UnlockSource?, seconds: Double, steps: [StepRecord], checks: [CheckRecord], closed: [ClosedVault] = []
  ) {
    self.closed = closed
    self.source = source
    self.seconds = seconds
    self.steps = steps
    self.checks = checks
  }

  /// As one with the run before it, which asked for another passphrase.
  public func following(_ before: UnlockSummary) -> UnlockSummary {
    UnlockSummary(
      source: before.source ?? source, seconds: before.seconds + seconds, steps: before.steps + steps, checks: checks,
      closed: closed)
  }

  /// Whether there was nothing to do.
  public var isUnchanged: Bool { steps.allSatisfy { $0.outcome == .unchanged } }
}

/// A failure as it travels between processes: its exit code and all its words.
public struct FailureReport: Codable, Equatable, Sendable {
  public var code: Int32
  public var summary: String
  /// Lines of a journal, for showing.
  public var evidence: [String]
  public var hint: String?

  public init(code: Int32, summary: String, evidence: [String], hint: String?) {
    self.code = code
    self.summary = summary
    self.evidence = evidence
    self.hint = hint
  }

  public var exitCode: ExitCode { ExitCode(rawValue: code) ?? .failure }
}
