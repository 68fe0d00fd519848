/// What `/run/mailboot/state.json` holds: the last answers, with their time. It never says what is true.
public struct LastResults: Equatable, Sendable {
  /// The kernel's boot id; a record of another boot does not count.
  public var bootID: String
  public var checks: [CheckRecord] = []
  /// By service name.
  public var probes: [String: ProbeRecord] = [:]
  public var lastUnlock: UnlockRecord?
  /// Who is busy; means something only while the lock is held.
  public var busy: BusyRecord?
  /// When the vault was last locked by `mailboot`, seconds since 1970.
  public var lockedSince: Double?
  /// Passphrases that were tried since the boot.
  public var attempts = AttemptCount()
  /// Whether the vault's header had a backup when root last looked at it; nil: nobody has since the boot.
  public var headerBackup: HeaderBackupState?

  public init(bootID: String) {
    self.bootID = bootID
  }
}

/// How often the vault took a passphrase, and how often it did not.
public struct AttemptCount: Codable, Equatable, Sendable {
  public var accepted: Int
  public var refused: Int

  public init(accepted: Int = 0, refused: Int = 0) {
    self.accepted = accepted
    self.refused = refused
  }
}

/// The verdict on a check.
public struct CheckRecord: Codable, Equatable, Sendable {
  public var name: CheckName
  public var result: CheckResult
  public var detail: String
  public var hint: String?
  /// Seconds since 1970.
  public var at: Double

  public init(name: CheckName, result: CheckResult, detail: String, hint: String?, at: Double) {
    self.name = name
    self.result = result
    self.detail = detail
    self.hint = hint
    self.at = at
  }
}

public struct ProbeRecord: Codable, Equatable, Sendable {
  public var answered: Bool
  public var detail: String
  /// Seconds since 1970.
  public var at: Double

  public init(answered: Bool, detail: String, at: Double) {
    self.answered = answered
    self.detail = detail
    self.at = at
  }
}

/// The last run of `unlock` that got past the passphrase.
public struct UnlockRecord: Codable, Equatable, Sendable {
  /// Seconds since 1970.
  public var at: Double
  public var by: String
  public var via: UnlockSource
  public var seconds: Double
  public var steps: [StepRecord]

  public init(at: Double, by: String, via: UnlockSource, seconds: Double, steps: [StepRecord]) {
    self.at = at
    self.by = by
    self.via = via
    self.seconds = seconds
    self.steps = steps
  }
}

public struct StepRecord: Codable, Equatable, Sendable {
  public enum Outcome: String, Codable, Sendable {
    case changed, unchanged, failed
  }
  public var name: String
  public var outcome: Outcome
  public var seconds: Double
  /// Seconds from the run's begin to the step's; nil: not known.
  public var began: Double?

  public init(name: String, outcome: Outcome, seconds: Double, began: Double? = nil) {
    self.name = name
    self.outcome = outcome
    self.seconds = seconds
    self.began = began
  }
}

/// Who holds the lock, and how far they are.
public struct BusyRecord: Codable, Equatable, Sendable {
  public var pid: Int32
  /// The verb, as typed.
  public var verb: String
  public var by: String
  public var phase: BootState
  /// Seconds since 1970.
  public var since: Double

  public init(pid: Int32, verb: String, by: String, phase: BootState, since: Double) {
    self.pid = pid
    self.verb = verb
    self.by = by
    self.phase = phase
    self.since = since
  }
}
