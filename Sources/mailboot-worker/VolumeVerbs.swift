import Cryptsetup
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// All that the header says; neither it nor a lock file is written.
func vaultFacts(_ request: InspectRequest) -> FactsReply {
  LUKSDevice.preventHeaderRepair()
  do {
    let facts = try facts(request)
    return .facts(facts)
  } catch {
    return .failed(VaultFailure(error))
  }
}

private func facts(_ request: InspectRequest) throws(LUKSError) -> LUKSFacts {
  let copies = try HeaderCopies(of: request.header ?? request.device).copies
  let device = try LUKSDevice(device: request.device, header: request.header)
  let reencryption: LUKSFacts.Reencryption =
    switch device.reencryption {
    case .none: .none
    case .begun: .begun
    case .cut: .cut
    case .unknown: .unknown
    }
  return LUKSFacts(
    version: device.version, uuid: device.uuid, label: device.label, cipher: device.cipher, keyBits: device.keyBits,
    sectorSize: device.sectorSize, integrity: device.integrity, dataOffset: device.dataOffset,
    keyslots: device.usableKeyslots.count, unboundKeyslots: device.unboundKeyslots.count,
    hasTokens: device.hasTokens, allowsDiscards: device.allowsDiscards, requirements: device.requirements,
    reencryption: reencryption,
    copies: device.version == 2
      ? copies.map { LUKSFacts.Copy(offset: UInt64($0.offset), sequence: $0.sequence, isIntact: $0.flaw == nil) } : nil)
}

func resizeVault(_ request: VolumeRequest, whileWanted presence: ParentPresence) -> VolumeReply {
  withVolume(request, presence) { device, passphrase throws(LUKSError) in
    guard let mapping = request.mapping else { throw LUKSError(.other, "it is not open") }
    try device.resize(mapping: mapping, passphrase: passphrase)
    return .done
  }
}

func setDiscards(_ request: VolumeRequest, whileWanted presence: ParentPresence) -> VolumeReply {
  withVolume(request, presence) { device, passphrase throws(LUKSError) in
    try device.setDiscards(request.allow ?? false, mapping: request.mapping, passphrase: passphrase)
    return .done
  }
}

/// Says how far it is twice a second.
func rekeyVault(_ request: VolumeRequest, whileWanted presence: ParentPresence) -> VolumeReply {
  // Whoever asks for it wants the one that was cut to be done, and no other one after it.
  if RekeyCompletion.run(at: request.header ?? request.device, unused: false) { return .done }
  return rekeyBlocks(request, whileWanted: presence)
}

private func rekeyBlocks(_ request: VolumeRequest, whileWanted presence: ParentPresence) -> VolumeReply {
  withVolume(request, presence) { device, passphrase throws(LUKSError) in
    var said = 0.0
    let result = try device.rekey(mapping: request.mapping, passphrase: passphrase) { done, all in
      let now = monotonicSeconds()
      if now - said >= 0.5 || done == all {
        said = now
        _ = writeAll(Array((RekeyLine(done: done, all: all).text + "\n").utf8), to: STDERR_FILENO)
      }
      return !presence.isToStop
    }
    switch result {
    case .done: return .done
    case .stopped: return .stopped
    }
  }
}

/// Between two writes of the header or two ioctls nobody's end is to cut the work: it is committed from the beginning.
private func withVolume(
  _ request: VolumeRequest, _ presence: ParentPresence,
  _ work: (borrowing LUKSDevice, borrowing SecretBytes) throws(LUKSError) -> VolumeReply
) -> VolumeReply {
  setOutOfMemoryScore(1000)
  do {
    let passphrase = try readSecret(
      from: workerPassphraseDescriptor, limit: passphraseLimit, dropTrailingNewline: false)
    let path = DeviceMapping.node(of: request.device, below: request.mapping)
    let device = try LUKSDevice(device: path, header: request.header)
    if let limit = request.memoryLimitKiB, let failure = limitMemory(toMore: limit) { return .failed(failure) }
    _ = try device.check(passphrase: passphrase)
    presence.commit()
    setOutOfMemoryScore(0)
    return try work(device, passphrase)
  } catch let error as LUKSError {
    return .failed(VaultFailure(error))
  } catch {
    return .failed(VaultFailure(.other, "\(error)"))
  }
}
