import JSON

/// An entry of the journal about one of our events.
public struct HistoryEntry: Equatable, Sendable {
  public var kind: EventKind
  /// Seconds since 1970, by the clock of then.
  public var at: Double
  /// Seconds since the machine's boot.
  public var sinceBoot: Double
  /// The kernel's id of the boot.
  public var bootID: String
  /// By name, as `JournalEvent.fields`.
  public var fields: [String: String]

  public init(kind: EventKind, at: Double, sinceBoot: Double, bootID: String, fields: [String: String]) {
    self.kind = kind
    self.at = at
    self.sinceBoot = sinceBoot
    self.bootID = bootID
    self.fields = fields
  }

  /// The kinds of events and the fields that `History` looks at.
  public static let kinds: [EventKind] = [
    .waiting, .unlockBegun, .passphraseRefused, .unlockFinished, .unlockFailed, .lockBegun, .keyRevoked, .lockFinished,
    .lockFailed,
  ]
  public static let fieldNames = [
    "MAILBOOT_USER", "MAILBOOT_VIA", "MAILBOOT_SECONDS", "MAILBOOT_STEPS", "MAILBOOT_STEP", "MAILBOOT_CODE",
    "MAILBOOT_REASON", "MAILBOOT_EMERGENCY",
  ]
}

/// Past boots, and what was done to the vault in each, as the journal has it.
public struct History: Equatable, Sendable {
  /// One boot, with the runs in the order in which they ended.
  public struct Boot: Equatable, Sendable {
    public var id: String
    /// When the machine booted, seconds since 1970.
    public var at: Double
    public var runs: [Run] = []
    /// Refused passphrases after which no run of an unlock came.
    public var refused = 0
  }

  public enum Verb: String, Sendable {
    case unlock, lock
  }

  public enum Outcome: String, Sendable {
    case done, failed
    /// No end is recorded: killed, or the power failed.
    case unfinished
  }

  /// An unlock or a lock.
  public struct Run: Equatable, Sendable {
    public var verb: Verb
    public var outcome: Outcome
    /// When it began, seconds since 1970.
    public var at: Double
    public var by: String
    /// Nil for a lock, and for a run that found the vault open.
    public var via: UnlockSource?
    public var emergency = false
    /// How long it took.
    public var seconds: Double?
    public var steps: [StepRecord] = []
    /// Passphrases refused before it.
    public var refused = 0
    /// How long the vault had been locked when this unlock was done, seconds from the boot or the last lock; nil: not known.
    public var locked: Double?
    /// When an emergency lock had taken the key away, seconds from its begin.
    public var keyGone: Double?
    public var failedStep: String?
    /// The exit code of a failed one.
    public var code: Int32?
    public var reason: String?
  }

  /// Oldest first.
  public private(set) var boots: [Boot] = []

  /// - Parameter entries: oldest first.
  public init(_ entries: [HistoryEntry]) {
    var rest = entries[...]
    while let first = rest.first {
      let ofBoot = rest.prefix { $0.bootID == first.bootID }
      rest = rest.dropFirst(ofBoot.count)
      boots.append(BootFold(ofBoot).boot)
    }
  }

  /// The same, of the last boots alone.
  public func newest(_ count: Int) -> History {
    var history = self
    history.boots = boots.suffix(count)
    return history
  }

  /// The last unlock that got as far as a step, and so can be drawn.
  public var lastUnlock: Run? {
    boots.lazy.flatMap(\.runs).last { $0.verb == .unlock && !$0.steps.isEmpty }
  }
}

/// Reads the entries of one boot.
private struct BootFold {
  private(set) var boot: History.Boot
  /// A run whose end is still to come.
  private var begun: History.Run?
  /// Since when the vault is locked, seconds since the boot; nil: it is not, or nobody knows.
  private var lockedSince: Double? = 0

  init(_ entries: ArraySlice<HistoryEntry>) {
    // By the last entry: a clock that was wrong at boot has been set since.
    let last = entries[entries.endIndex - 1]
    boot = History.Boot(id: last.bootID, at: last.at - last.sinceBoot)
    for entry in entries { take(entry) }
    abandon()
  }

  private mutating func take(_ entry: HistoryEntry) {
    switch entry.kind {
    case .unlockBegun: begin(.unlock, entry)
    case .lockBegun: begin(.lock, entry)
    case .passphraseRefused:
      begun = nil
      boot.refused += 1
    case .keyRevoked: begun?.keyGone = entry.seconds
    case .unlockFinished:
      end(entry, .unlock, .done)
      lockedSince = nil
    case .unlockFailed: end(entry, .unlock, .failed)
    case .lockFinished:
      end(entry, .lock, .done)
      lockedSince = entry.sinceBoot
    case .lockFailed: end(entry, .lock, .failed)
    default: break
    }
  }

  private mutating func begin(_ verb: History.Verb, _ entry: HistoryEntry) {
    abandon()
    begun = run(verb, .unfinished, entry)
  }

  /// What has begun has no end.
  private mutating func abandon() {
    guard var run = begun else { return }
    begun = nil
    count(&run)
    boot.runs.append(run)
  }

  private mutating func end(_ entry: HistoryEntry, _ verb: History.Verb, _ outcome: History.Outcome) {
    if let begun, begun.verb != verb { abandon() }
    let before = begun
    begun = nil
    var run = run(verb, outcome, entry)
    run.seconds = entry.seconds
    run.at = before?.at ?? entry.at - (entry.seconds ?? 0)
    run.steps = entry.steps
    run.keyGone = before?.keyGone
    if outcome == .failed {
      run.failedStep = entry.fields["MAILBOOT_STEP"]
      run.code = entry.fields["MAILBOOT_CODE"].flatMap { Int32($0) }
      run.reason = entry.fields["MAILBOOT_REASON"]
    } else if run.via != nil {
      run.locked = lockedSince.map { entry.sinceBoot - $0 }
    }
    count(&run)
    boot.runs.append(run)
  }

  /// Refused passphrases belong to the unlock that follows them.
  private mutating func count(_ run: inout History.Run) {
    guard run.verb == .unlock else { return }
    run.refused = boot.refused
    boot.refused = 0
  }

  private func run(_ verb: History.Verb, _ outcome: History.Outcome, _ entry: HistoryEntry) -> History.Run {
    var run = History.Run(verb: verb, outcome: outcome, at: entry.at, by: entry.fields["MAILBOOT_USER"] ?? "")
    run.via = entry.fields["MAILBOOT_VIA"].flatMap(UnlockSource.init(rawValue:)).flatMap { $0 == .none ? nil : $0 }
    run.emergency = entry.fields["MAILBOOT_EMERGENCY"] == "1"
    return run
  }
}

extension HistoryEntry {
  fileprivate var seconds: Double? { fields["MAILBOOT_SECONDS"].flatMap { Double($0) } }

  fileprivate var steps: [StepRecord] {
    guard let text = fields["MAILBOOT_STEPS"] else { return [] }
    return (JSONText(parsing: Array(text.utf8))?.items ?? []).compactMap { $0.value(StepRecord.self) }
  }
}
