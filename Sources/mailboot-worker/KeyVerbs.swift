import Cryptsetup
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// Which keyslot the passphrase opens; nothing is changed.
func testKey(_ request: TestKeyRequest) -> TestKeyReply {
  setOutOfMemoryScore(1000)
  do {
    let passphrase = try handed(workerPassphraseDescriptor)
    LUKSDevice.preventHeaderRepair()
    let device = try LUKSDevice(device: request.device, header: request.header)
    try limit(request.memoryLimitKiB)
    let begun = monotonicSeconds()
    let keyslot = try tryingRecoveryKey(passphrase) { (typed) throws(LUKSError) in try device.check(passphrase: typed) }
    return .opens(keyslot: keyslot, seconds: monotonicSeconds() - begun)
  } catch {
    return .failed(VaultFailure(any: error))
  }
}

/// All keyslots.
func keyTable(_ request: KeyTableRequest) -> KeyTableReply {
  setOutOfMemoryScore(1000)
  LUKSDevice.preventHeaderRepair()
  do {
    let device = try LUKSDevice(device: request.device, header: request.header)
    var table = table(of: device, header: request.header ?? request.device)
    if request.measures {
      try limit(request.memoryLimitKiB)
      for index in table.keyslots.indices where table.keyslots[index].isTyped {
        table.keyslots[index].seconds = device.measure(keyslot: table.keyslots[index].number)
      }
    }
    return .table(table)
  } catch {
    return .failed(VaultFailure(any: error))
  }
}

/// Adds the new passphrase beside the existing one.
func addKey(_ request: KeyChangeRequest, whileWanted presence: ParentPresence) -> KeyChangeReply {
  changingKey(request, presence) { (device, existing, new, derivation) throws(LUKSError) in
    let key = try volumeKey(of: device, existing)
    let cleared = try device.finishUnfinished()
    if let keyslot = try device.opened(by: new) {
      return .changed(keyslot: keyslot, removed: nil, cleared: cleared, wasThere: true)
    }
    let keyslot = try device.add(new, volumeKey: key, derivation: derivation)
    return .changed(keyslot: keyslot, removed: nil, cleared: cleared, wasThere: false)
  }
}

/// Adds the recovery key beside the existing passphrase.
func addRecoveryKey(_ request: KeyChangeRequest, whileWanted presence: ParentPresence) -> KeyChangeReply {
  changingKey(request, presence) { (device, existing, new, derivation) throws(LUKSError) in
    let key = try volumeKey(of: device, existing)
    let cleared = try device.finishUnfinished()
    let keyslot = try device.addRecoveryKey(new, volumeKey: key, derivation: derivation)
    return .changed(keyslot: keyslot, removed: nil, cleared: cleared, wasThere: false)
  }
}

/// Adds the new passphrase, opens with it, and removes the old one's keyslot. Where a cut has left both, or the new one alone, it goes on
/// from there.
func changeKey(_ request: KeyChangeRequest, whileWanted presence: ParentPresence) -> KeyChangeReply {
  changingKey(request, presence) { (device, existing, new, derivation) throws(LUKSError) in
    let cleared = try device.finishUnfinished()
    let there = try device.opened(by: new)
    let old: Int
    do throws(LUKSError) {
      old = try tryingRecoveryKey(existing) { (typed) throws(LUKSError) in try device.check(passphrase: typed) }
    } catch {
      guard error.kind == .notAccepted, let there else { throw error }
      return .changed(keyslot: there, removed: nil, cleared: cleared, wasThere: true)
    }
    if there == old { return .same(keyslot: old) }
    let keyslot: Int
    if let there {
      keyslot = there
    } else {
      keyslot = try device.add(new, volumeKey: volumeKey(of: device, existing), derivation: derivation)
    }
    try device.replace(keyslot: old, by: keyslot)
    return .changed(keyslot: keyslot, removed: old, cleared: cleared, wasThere: there != nil)
  }
}

/// Removes a keyslot; whether it may go is for others to say.
func removeKey(_ request: RemoveKeyRequest, whileWanted presence: ParentPresence) -> RemoveKeyReply {
  do {
    let device = try LUKSDevice(device: request.device, header: request.header)
    try refuseRekeyed(device)
    presence.commit()
    // What is to be removed may be what a cut has left.
    let cleared = try device.finishUnfinished()
    if device.keyslots.contains(where: { $0.number == request.keyslot }) {
      try device.remove(keyslot: request.keyslot)
    } else if !cleared.contains(request.keyslot) {
      return .failed(VaultFailure(.notChanged, "keyslot \(request.keyslot) is empty"))
    }
    return .removed(cleared: cleared.filter { $0 != request.keyslot })
  } catch {
    return .failed(VaultFailure(any: error))
  }
}

// MARK: -

private func changingKey(
  _ request: KeyChangeRequest, _ presence: ParentPresence,
  _ body: (borrowing LUKSDevice, borrowing SecretBytes, borrowing SecretBytes, NewDerivation) throws(LUKSError) ->
    KeyChangeReply
) -> KeyChangeReply {
  setOutOfMemoryScore(1000)
  do {
    let existing = try handed(workerPassphraseDescriptor)
    let new = try handed(workerNewPassphraseDescriptor)
    let device = try LUKSDevice(device: request.device, header: request.header)
    try refuseRekeyed(device)
    try limit(request.memoryLimitKiB)
    // A change that is cut off anywhere leaves a way in; but it need not be.
    presence.commit()
    return try body(device, existing, new, NewDerivation(request.cost))
  } catch {
    return .failed(VaultFailure(any: error))
  }
}

/// Until it has one key again, no keyslot can be for the whole volume.
private func refuseRekeyed(_ device: borrowing LUKSDevice) throws(VaultFailure) {
  guard device.reencryption != .none else { return }
  throw VaultFailure(.notChanged, "it is being given a new key, and `mailboot vault rekey` has to end that first")
}

private func volumeKey(
  of device: borrowing LUKSDevice, _ passphrase: borrowing SecretBytes
) throws(LUKSError) -> SecretBytes {
  do {
    return try device.volumeKey(passphrase)
  } catch {
    guard error.kind == .notAccepted, let key = try? RecoveryKey.normalized(passphrase) else { throw error }
    return try device.volumeKey(key)
  }
}

/// A recovery key may be typed without its dashes, or in capital letters.
func tryingRecoveryKey<Result>(
  _ typed: borrowing SecretBytes, _ body: (borrowing SecretBytes) throws(LUKSError) -> Result
) throws(LUKSError) -> Result {
  do {
    return try body(typed)
  } catch {
    guard error.kind == .notAccepted, let key = try? RecoveryKey.normalized(typed) else { throw error }
    return try body(key)
  }
}

func handed(_ descriptor: Int32) throws -> SecretBytes {
  try readSecret(from: descriptor, limit: passphraseLimit, dropTrailingNewline: false)
}

func limit(_ memoryLimitKiB: Int?) throws(VaultFailure) {
  if let memoryLimitKiB, let failure = limitMemory(toMore: memoryLimitKiB) { throw failure }
}

extension NewDerivation {
  init(_ cost: KeyDerivationCost) {
    self =
      cost.iterations.map { .iterations($0) }
      ?? .measured(memoryKiB: cost.memoryKiB, milliseconds: cost.milliseconds, threads: cost.threads)
  }
}

extension VaultFailure {
  init(any error: any Error) {
    switch error {
    case let error as LUKSError: self.init(error)
    case let failure as VaultFailure: self = failure
    default: self.init(.other, "\(error)")
    }
  }
}
