extension Failure {
  /// One line or a short paragraph: what happened and why, with no advice and no `error:` before it.
  public var summary: String {
    switch self {
    case .passphraseRefused(_, true, _): "the passphrase is empty"
    case .passphraseRefused(let tries, _, _):
      tries > 1 ? "the passphrase was not accepted (\(tries) tries)" : "the passphrase was not accepted"
    case .passphraseUnusable(let why): "this cannot be the passphrase: \(why)"
    case .vault(let failure, let device): failure.summary(device: device)
    case .deviceNotFound(let wanted, let waited):
      waited > 0 ? "the vault's device \(wanted) did not appear within \(waited) s" : "there is no device \(wanted)"
    case .noLUKSDevice: "no LUKS device was found on this machine"
    case .severalLUKSDevices(let devices):
      "there are several LUKS devices, and none is configured: " + devices.joined(separator: ", ")
    case .severalDevices(let wanted, let devices):
      "\(devices.count) devices are \(wanted), and only one of them can be the vault: "
        + devices.joined(separator: ", ")
    case .mount(let failure, let path): failure.summary(path: path)
    case .verification(let records):
      records.count == 1
        ? "the check \"\(records[0].name.rawValue)\" failed: \(records[0].detail)"
        : "\(records.count) checks failed: "
          + records.map { "\($0.name.rawValue): \($0.detail)" }.joined(separator: "; ")
    case .locked: "the vault is locked"
    case .broken(let why), .stuck(let why): why
    case .service(let name, let failure): failure.summary(service: name)
    case .busy(let holder?):
      "another run is busy with the vault: \(holder.verb) by \(holder.by), process \(holder.pid), now \(holder.phase.rawValue)"
    case .busy(nil): "another run is busy with the vault"
    case .interrupted(let signal):
      signal == 2 ? "interrupted" : "ended by signal \(signal)"
    case .notRoot(let verb): "\(verb) must be run as root"
    case .system(let text): text
    case .noBus(let text): "systemd cannot be reached: \(text)"
    case .configuration(let error):
      error.issues.count == 1 ? "the configuration has an error" : "the configuration has \(error.issues.count) errors"
    case .usage(let text, _): text
    case .reported(let report): report.summary
    case .inUse(let use, false): "the vault is in use outside its services: \(use.count)"
    case .inUse(let use, true): "the vault is in use even without its services: \(use.count)"
    case .emergency(let cause, true): "the key is gone, but the vault could not be cleared: \(cause.summary)"
    case .emergency(let cause, false): "the key may still be in memory: \(cause.summary)"
    case .rollback(let cause, let trouble):
      cause.summary + "; and taking it back failed: " + trouble.joined(separator: "; ")
    }
  }
}

extension VaultFailure {
  func summary(device: String) -> String {
    switch kind {
    case .noDevice: "there is no device \(device)" + because
    case .notLUKS: "\(device) is not a LUKS device" + because
    case .notGocryptfs: "\(device) is not an encrypted directory of gocryptfs" + because
    case .damagedHeader: "the LUKS header of \(device) is damaged" + because
    case .otherFormat: "\(device) is not what its `type` says" + because
    case .noDirectory: "there is no directory \(device)" + because
    case .damagedConfiguration: "\(device)/gocryptfs.conf cannot be used" + because
    case .noProgram: "gocryptfs is not installed" + because
    case .nameTaken: "the mapping's name is taken by another device: \(detail)"
    case .notAccepted: "the passphrase was not accepted"
    case .noMemory: "not enough memory for the key derivation" + because
    case .noDeviceMapper: "this kernel cannot open it: no device-mapper" + because
    case .busy: "\(device) is in use" + because
    case .noToken: "no token in the header of \(device) opened it" + because
    case .notEmpty: "\(device) is not empty" + because
    case .readOnly: "\(device) is read-only" + because
    case .tooSmall: "there is not enough room on \(device)" + because
    case .noKeyslot: "no keyslot of \(device) is free" + because
    case .notChanged: "the header of \(device) could not be changed" + because
    case .notSaved: "the header of \(device) was not saved" + because
    case .other: "\(device) could not be opened or closed" + because
    }
  }

  private var because: String { detail.isEmpty ? "" : ": \(detail)" }
}

extension MountFailure {
  func summary(path: String) -> String {
    switch self {
    case .notEmpty(let names):
      "the mount point \(path) is not empty: " + names.joined(separator: ", ")
    case .occupied(let what): "something else is mounted on \(path): \(what)"
    case .notADirectory: "the mount point \(path) is not a directory"
    case .missing: "there is no directory \(path)"
    case .noFUSE(let why): "\(path) cannot be mounted through FUSE: \(why)"
    case .refused(let result, _): "\(path) could not be mounted: \(result)"
    case .sourceMissing(let source): "\(source), to be shown at \(path), is not in the vault"
    case .busy(let why): "\(path) could not be unmounted: \(why)"
    }
  }
}

extension ServiceFailure {
  func summary(service: String) -> String {
    switch self {
    case .masked(let unit): "\(unit) is masked"
    case .missing(let unit): "there is no unit \(unit)"
    case .notStarted(let unit, let result, _): "\(service) did not start: \(unit): \(result)"
    case .silent(let probe, let reason, let seconds, _):
      seconds > 0
        ? "\(service) is active but \(probe) did not answer within \(seconds) s: \(reason)"
        : "\(service) does not answer at \(probe): \(reason)"
    case .notStopped(let unit, let result): "\(service) did not stop: \(unit): \(result)"
    }
  }

  /// The last lines of the unit's journal, for showing.
  public var journal: [String] {
    switch self {
    case .notStarted(_, _, let lines), .silent(_, _, _, let lines): lines
    case .masked, .missing, .notStopped: []
    }
  }
}
