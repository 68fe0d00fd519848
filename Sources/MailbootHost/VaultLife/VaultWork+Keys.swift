import Glibc
import Linux
import MailbootCore
import SecretMemory

/// What became of a change of a passphrase.
public enum KeyChange: Equatable, Sendable {
  /// In this keyslot (nil: this kind of vault has one only); `removed`: the old one's, which is gone; `cleared`: what an earlier run
  /// that was cut off had left; `wasThere`: it opened the vault before.
  case changed(keyslot: Int?, removed: Int?, cleared: [Int], wasThere: Bool)
  case same(keyslot: Int?)
}

/// Keyslots of a LUKS header.
extension VaultWork {
  /// All keyslots; with their times, which takes as long as opening each of them.
  public func keyTable(measured: Bool) throws(Failure) -> KeyTable {
    let (device, header) = try luks()
    let request = KeyTableRequest(
      device: device, header: header, memoryLimitKiB: availableMemoryKiB(), measures: measured)
    let child = try worker.begin(.keyTable, request)
    _ = try child.run(reactor, until: nil)
    switch try worker.reply(KeyTableReply.self, of: child) {
    case .table(let table): return table
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }

  /// Adds a passphrase beside the existing one.
  /// - Parameter totalMemoryKiB: of the smallest machine that is to open the vault; nil: this one's.
  public func addKey(
    _ new: borrowing SecretBytes, openedBy existing: borrowing SecretBytes, totalMemoryKiB: Int?
  ) throws(Failure) -> KeyChange {
    try alone("vault add-key") { () throws(Failure) in
      try change(.addKey, existing, new, cost(totalMemoryKiB))
    }
  }

  /// Puts a new passphrase in the place of the existing one.
  public func changeKey(
    _ existing: borrowing SecretBytes, to new: borrowing SecretBytes, totalMemoryKiB: Int?
  ) throws(Failure) -> KeyChange {
    if configuration.vault.kind == .gocryptfs { return try changeGocryptfsKey(existing, to: new) }
    return try alone("vault change-key") { () throws(Failure) in
      try change(.changeKey, existing, new, cost(totalMemoryKiB))
    }
  }

  /// Adds a recovery key, see `RecoveryKey`: nobody is to see it before it is there.
  public func addRecoveryKey(
    _ key: borrowing SecretBytes, openedBy existing: borrowing SecretBytes
  ) throws(Failure) -> KeyChange {
    try alone("vault enroll") { () throws(Failure) in
      guard try keyTable(measured: false).version == 2 else { throw Self.noTokens }
      return try change(.addRecoveryKey, existing, key, .ofRandomKey)
    }
  }

  /// Removes a keyslot and what belongs to it.
  /// - Parameter decide: whether it may go, by what is there while nobody else changes it.
  /// - Returns: what an earlier run that was cut off had left.
  public func removeKey(_ keyslot: Int, _ decide: (KeyTable) throws(Failure) -> Void) throws(Failure) -> [Int] {
    try alone("vault remove-key") { () throws(Failure) in
      try decide(try keyTable(measured: false))
      let (device, header) = try luks()
      let request = RemoveKeyRequest(device: device, header: header, keyslot: keyslot)
      let child = try worker.begin(.removeKey, request)
      _ = try child.run(reactor, until: nil)
      defer { rememberHeader() }
      switch try worker.reply(RemoveKeyReply.self, of: child) {
      case .removed(let cleared): return cleared
      case .failed(let failure): throw .vault(failure, device: device)
      }
    }
  }

  private func change(
    _ verb: WorkerVerb, _ existing: borrowing SecretBytes, _ new: borrowing SecretBytes, _ cost: KeyDerivationCost
  ) throws(Failure) -> KeyChange {
    let (device, header) = try luks()
    let request = KeyChangeRequest(
      device: device, header: header, memoryLimitKiB: availableMemoryKiB(), cost: cost)
    let child = try worker.begin(verb, request, secrets: existing, new)
    _ = try child.run(reactor, until: nil)
    defer { rememberHeader() }
    switch try worker.reply(KeyChangeReply.self, of: child) {
    case .changed(let keyslot, let removed, let cleared, let wasThere):
      return .changed(keyslot: keyslot, removed: removed, cleared: cleared, wasThere: wasThere)
    case .same(let keyslot): return .same(keyslot: keyslot)
    case .failed(let failure) where failure.kind == .notAccepted:
      throw .passphraseRefused(
        tries: 1, empty: existing.isEmpty, endsInCarriageReturn: existing.endsWithCarriageReturn)
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }

  private func cost(_ totalMemoryKiB: Int?) throws(Failure) -> KeyDerivationCost {
    guard let total = totalMemoryKiB ?? MailbootHost.totalMemoryKiB() else {
      throw .system("/proc/meminfo cannot be read: how much memory there is is not known")
    }
    return KeyDerivationCost(totalMemoryKiB: total)
  }

  // MARK: What is known of the header's backup

  /// Has `status` say whether the header has a backup. Called with the lock held.
  func rememberHeader() {
    guard let (device, header) = try? luks(),
      case .luks(let summary)? = try? worker.ask(
        .inspect, InspectRequest(device: device, header: header), as: InspectReply.self, reactor: reactor, timeout: 60)
    else { return }
    remember(headers.state(summary.uuid, fingerprint: summary.fingerprint))
  }

  func remember(_ state: HeaderBackupState) {
    guard var record = directory.record() else { return }
    record.headerBackup = state
    try? directory.store(record)
  }
}
