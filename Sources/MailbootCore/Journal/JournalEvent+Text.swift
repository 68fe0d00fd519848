import JSON
import Text

extension JournalEvent {
  /// One line for a person; what it says stands in `fields` too, for programs.
  public var message: String { singleLine(sentence) }

  private var sentence: String {
    switch self {
    case .waiting(let since): "the vault is locked since \(timestamp(since)), waiting for its passphrase"
    case .reminder(let locked, let refused):
      "the vault is still locked, for \(age(locked))"
        + (refused > 0 ? "; \(refused) \(refused == 1 ? "passphrase was" : "passphrases were") refused" : "")
    case .unlockBegun(let actor): "unlock begun \(actor.words)"
    case .passphraseRefused(let actor, let count, let delay):
      "passphrase refused, the \(ordinal(count)) since the boot, given \(actor.words)"
        + (delay.map { "; the next one in \(decimal($0, places: 0)) s" } ?? "")
    case .unlockFinished(let actor, let run): "unlocked \(actor.words) in \(run.words)"
    case .unlockFailed(let actor, let run, let failure):
      "unlock \(actor.words) failed\(run.placeOfFailure): \(failure.summary)"
    case .lockBegun(let user, let emergency): "\(emergency ? "emergency lock" : "lock") begun by \(user)"
    case .keyRevoked(let user, let seconds):
      "emergency lock by \(user): the key is gone after \(decimal(seconds, places: 1)) s"
    case .lockFinished(let user, let emergency, let run):
      "\(emergency ? "locked in an emergency" : "locked") by \(user) in \(run.words)"
    case .lockFailed(let user, let emergency, let run, let failure):
      "\(emergency ? "emergency lock" : "lock") by \(user) failed\(run.placeOfFailure): \(failure.summary)"
    case .degraded(let why): "degraded: " + why.joined(separator: "; ")
    case .recovered(let seconds): "ready again after \(age(seconds))"
    case .serviceFailed(let name, let why): "\(name) failed: \(why)"
    case .serviceRecovered(let name, let seconds): "\(name) answers again after \(age(seconds))"
    case .notifyFailed(let script, let why): "notification \(script) failed: \(why)"
    case .notifyTimedOut(let script, let seconds):
      "notification \(script) did not end within \(decimal(seconds, places: 0)) s and was ended"
    case .guardInstalled(let units): "guarded: " + units.joined(separator: ", ")
    case .guardRemoved(let units): "guarded no more: " + units.joined(separator: ", ")
    }
  }

  /// The journal's fields: `MAILBOOT_EVENT` and what applies. Durations are seconds with three decimals.
  public var fields: [(String, String)] {
    [("MAILBOOT_EVENT", kind.rawValue)] + ownFields
  }

  private var ownFields: [(String, String)] {
    switch self {
    case .waiting(let since): [("MAILBOOT_STATE", "locked"), ("MAILBOOT_SINCE", timestamp(since))]
    case .reminder(let locked, let refused):
      [("MAILBOOT_STATE", "locked"), Self.seconds(locked), ("MAILBOOT_COUNT", "\(refused)")]
    case .unlockBegun(let actor): actor.fields
    case .passphraseRefused(let actor, let count, let delay):
      actor.fields + [("MAILBOOT_COUNT", "\(count)")]
        + (delay.map { [("MAILBOOT_DELAY", decimal($0, places: 3))] } ?? [])
    case .unlockFinished(let actor, let run): actor.fields + run.fields
    case .unlockFailed(let actor, let run, let failure): actor.fields + run.fields + failure.fields
    case .lockBegun(let user, let emergency): Self.lock(user, emergency)
    case .keyRevoked(let user, let seconds): Self.lock(user, true) + [Self.seconds(seconds)]
    case .lockFinished(let user, let emergency, let run):
      Self.lock(user, emergency) + [("MAILBOOT_STATE", "locked")] + run.fields
    case .lockFailed(let user, let emergency, let run, let failure):
      Self.lock(user, emergency) + run.fields + failure.fields
    case .degraded(let why): [("MAILBOOT_STATE", "degraded"), ("MAILBOOT_REASON", why.joined(separator: "\n"))]
    case .recovered(let seconds): [("MAILBOOT_STATE", "ready"), Self.seconds(seconds)]
    case .serviceFailed(let name, let why): [("MAILBOOT_SERVICE", name), ("MAILBOOT_REASON", why)]
    case .serviceRecovered(let name, let seconds): [("MAILBOOT_SERVICE", name), Self.seconds(seconds)]
    case .notifyFailed(let script, let why): [("MAILBOOT_SCRIPT", script), ("MAILBOOT_REASON", why)]
    case .notifyTimedOut(let script, let seconds): [("MAILBOOT_SCRIPT", script), Self.seconds(seconds)]
    case .guardInstalled(let units), .guardRemoved(let units):
      [("MAILBOOT_UNITS", units.joined(separator: " "))]
    }
  }

  fileprivate static func seconds(_ seconds: Double) -> (String, String) {
    ("MAILBOOT_SECONDS", decimal(seconds, places: 3))
  }

  private static func lock(_ user: String, _ emergency: Bool) -> [(String, String)] {
    [("MAILBOOT_USER", user), ("MAILBOOT_EMERGENCY", emergency ? "1" : "0")]
  }
}

extension JournalEvent.Actor {
  fileprivate var words: String { via == .none ? "by \(by)" : "by \(by) (\(via.rawValue))" }
  fileprivate var fields: [(String, String)] { [("MAILBOOT_USER", by), ("MAILBOOT_VIA", via.rawValue)] }
}

extension JournalEvent.Run {
  fileprivate var words: String { "\(decimal(seconds, places: 1)) s" }

  /// The step that ended it; the last one, as others may have failed on the way.
  private var failedStep: StepRecord? { steps.last { $0.outcome == .failed } }
  fileprivate var placeOfFailure: String { failedStep.map { " at \($0.name)" } ?? "" }

  fileprivate var fields: [(String, String)] {
    [JournalEvent.seconds(seconds), ("MAILBOOT_STEPS", JSONText.array(steps.map(\.json)).line())]
      + (failedStep.map { [("MAILBOOT_STEP", $0.name)] } ?? [])
  }
}

extension Failure {
  fileprivate var fields: [(String, String)] {
    [("MAILBOOT_CODE", "\(exitCode.rawValue)"), ("MAILBOOT_REASON", summary)]
  }
}

private func ordinal(_ number: Int) -> String {
  if (11...13).contains(number % 100) { return "\(number)th" }
  return switch number % 10 {
  case 1: "\(number)st"
  case 2: "\(number)nd"
  case 3: "\(number)rd"
  default: "\(number)th"
  }
}
