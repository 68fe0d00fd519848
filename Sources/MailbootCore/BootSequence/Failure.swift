/// Why a run ended without success: what happened and why. What to do about it is the command layer's to say.
public enum Failure: Error, Equatable, Sendable {
  /// The passphrase (or key) opens no keyslot, `tries` times; or it was empty.
  case passphraseRefused(tries: Int, empty: Bool, endsInCarriageReturn: Bool)
  /// A passphrase that this kind of vault can never have: why. It was not tried.
  case passphraseUnusable(String)
  /// The vault's device or its header.
  case vault(VaultFailure, device: String)
  /// No device at all, or no single one: what was looked for and what was found instead.
  case deviceNotFound(wanted: String, waited: Int)
  case noLUKSDevice
  case severalLUKSDevices([String])
  /// Several that have the label or UUID by which the configuration names one.
  case severalDevices(wanted: String, [String])
  case mount(MountFailure, path: String)
  /// Required checks that failed.
  case verification([CheckRecord])
  /// `verify` on a locked vault.
  case locked
  /// `verify` on a vault that has broken down: why nothing can be read.
  case broken(String)
  /// An open vault that does not answer: what is said of it. Whoever touches it hangs.
  case stuck(String)
  case service(name: String, ServiceFailure)
  /// Another run holds the lock.
  case busy(BusyRecord?)
  case interrupted(signal: Int32)
  case notRoot(verb: String)
  /// The system's own interfaces (bus, sysfs, worker) are not to be had.
  case system(String)
  case noBus(String)
  case configuration(ConfigurationError)
  case usage(String, hint: String?)
  /// What another process of ours reported: a run that the service started.
  case reported(FailureReport)
  /// Somebody uses the vault, so it is not locked.
  case inUse(VaultUse, stopped: Bool)
  /// An emergency lock did not get to the end.
  indirect case emergency(of: Failure, keyGone: Bool)
  /// Something failed, and undoing it failed too: both count.
  indirect case rollback(of: Failure, trouble: [String])
}

public enum MountFailure: Error, Equatable, Sendable {
  /// Files lie in the bare directory; some names as examples.
  case notEmpty([String])
  /// Something else is mounted there.
  case occupied(by: String)
  case notADirectory
  /// There is no such directory.
  case missing
  /// This system cannot mount through FUSE: what it said.
  case noFUSE(String)
  /// The device cannot be mounted: what systemd and its journal said.
  case refused(result: String, journal: [String])
  case sourceMissing(String)
  case busy(String)
}

public enum ServiceFailure: Error, Equatable, Sendable {
  case masked(unit: String)
  case missing(unit: String)
  /// A unit did not come up: what became of its job, its states, the last lines of its journal.
  case notStarted(unit: String, result: String, journal: [String])
  /// Active, but its probe got no answer.
  case silent(probe: String, reason: String, seconds: Int, journal: [String])
  case notStopped(unit: String, result: String)
}

/// Exit codes of every verb but `status`.
public enum ExitCode: Int32, CaseIterable, Sendable {
  case done = 0
  case failure = 1
  case passphrase = 10
  case vault = 11
  case mount = 12
  case verification = 13
  case service = 14
  case busy = 15
  case stillInUse = 16
  case usage = 64
  case notPermitted = 77
  case configuration = 78
  case interrupted = 130
}

extension Failure {
  public var exitCode: ExitCode {
    switch self {
    case .passphraseRefused: .passphrase
    case .vault(let failure, _): failure.kind == .notAccepted ? .passphrase : .vault
    case .deviceNotFound, .noLUKSDevice, .severalLUKSDevices, .severalDevices: .vault
    case .mount: .mount
    case .verification, .locked, .broken, .stuck: .verification
    case .service: .service
    case .busy: .busy
    case .interrupted: .interrupted
    case .notRoot: .notPermitted
    case .system, .noBus: .failure
    case .configuration: .configuration
    case .usage, .passphraseUnusable: .usage
    case .reported(let report): report.exitCode
    case .inUse: .stillInUse
    case .emergency(let cause, _), .rollback(let cause, _): cause.exitCode
    }
  }
}
