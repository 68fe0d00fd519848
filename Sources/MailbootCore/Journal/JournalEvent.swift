/// Something that happened to vault or services, as it goes into the journal.
///
/// Durations are seconds, times seconds since 1970. Nothing secret is ever part of one.
public enum JournalEvent: Equatable, Sendable {
  /// Who did it, and how.
  public struct Actor: Equatable, Sendable {
    public var by: String
    public var via: UnlockSource

    public init(by: String, via: UnlockSource) {
      self.by = by
      self.via = via
    }
  }

  /// How a run went.
  public struct Run: Equatable, Sendable {
    public var seconds: Double
    public var steps: [StepRecord]

    public init(seconds: Double, steps: [StepRecord]) {
      self.seconds = seconds
      self.steps = steps
    }
  }

  /// The vault is locked, and the passphrase is waited for; since when it is locked.
  case waiting(since: Double)
  /// It still is, for so long; refused passphrases so far.
  case reminder(locked: Double, refused: Int)
  case unlockBegun(Actor)
  /// The how many-th since the boot it was, and how long the next one has to wait; nil: nothing is said of that.
  case passphraseRefused(Actor, count: Int, delay: Double?)
  case unlockFinished(Actor, Run)
  case unlockFailed(Actor, Run, Failure)
  case lockBegun(by: String, emergency: Bool)
  /// An emergency lock has taken the key out of memory, so long after it began.
  case keyRevoked(by: String, seconds: Double)
  case lockFinished(by: String, emergency: Bool, Run)
  case lockFailed(by: String, emergency: Bool, Run, Failure)
  /// Open, but not as it should be, and why.
  case degraded(why: [String])
  /// As it should be again, after so long.
  case recovered(seconds: Double)
  case serviceFailed(String, why: String)
  case serviceRecovered(String, seconds: Double)
  case notifyFailed(script: String, why: String)
  case notifyTimedOut(script: String, seconds: Double)
  case guardInstalled(units: [String])
  case guardRemoved(units: [String])

  public var kind: EventKind {
    switch self {
    case .waiting: .waiting
    case .reminder: .reminder
    case .unlockBegun: .unlockBegun
    case .passphraseRefused: .passphraseRefused
    case .unlockFinished: .unlockFinished
    case .unlockFailed: .unlockFailed
    case .lockBegun: .lockBegun
    case .keyRevoked: .keyRevoked
    case .lockFinished: .lockFinished
    case .lockFailed: .lockFailed
    case .degraded: .degraded
    case .recovered: .recovered
    case .serviceFailed: .serviceFailed
    case .serviceRecovered: .serviceRecovered
    case .notifyFailed: .notifyFailed
    case .notifyTimedOut: .notifyTimedOut
    case .guardInstalled: .guardInstalled
    case .guardRemoved: .guardRemoved
    }
  }

  public var priority: EventPriority {
    switch self {
    case .unlockBegun, .lockBegun: .informational
    case .unlockFinished, .lockFinished, .recovered, .serviceRecovered, .guardInstalled: .notice
    case .waiting, .reminder, .passphraseRefused, .degraded, .keyRevoked, .notifyFailed, .notifyTimedOut,
      .guardRemoved:
      .warning
    case .unlockFailed, .lockFailed, .serviceFailed: .error
    }
  }
}
