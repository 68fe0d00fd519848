import Cryptsetup
import Glibc
import MailbootCore
import SecretMemory

/// A key file may be this long, bytes; other passphrases are held to less before they come here.
let passphraseLimit = 8 << 20

/// Reads the header and writes nothing: neither a repair nor a lock file.
func inspectVault(_ request: InspectRequest) -> InspectReply {
  LUKSDevice.preventHeaderRepair()
  do {
    if let format = ForeignFormat(request.type, pim: nil) {
      let uuid = try ForeignVolume.inspect(request.device, format)
      return .luks(LUKSSummary(version: 0, uuid: uuid, label: nil, usableKeyslots: 1, derivationMemoryKiB: 0))
    }
    let device = try LUKSDevice(device: request.device, header: request.header)
    return .luks(
      LUKSSummary(
        version: device.version, uuid: device.uuid, label: device.label, usableKeyslots: device.usableKeyslots.count,
        derivationMemoryKiB: device.leastDerivationMemoryKiB, hasTokens: device.hasTokens,
        subsystem: device.subsystem,
        fingerprint: fingerprint(of: device, header: request.header ?? request.device)))
  } catch {
    return .failed(VaultFailure(error))
  }
}

/// Opens the device with the passphrase on descriptor 3.
func openVault(_ request: OpenRequest, whileWanted presence: ParentPresence) -> OpenReply {
  // Argon2 fills as much memory as the header says; if it comes to the worst this process goes, not a mail service.
  setOutOfMemoryScore(1000)
  RekeyCompletion.run(at: request.header ?? request.device, unused: true)
  if request.byToken { return openByToken(request, presence) }
  do {
    let passphrase = try readSecret(
      from: workerPassphraseDescriptor, limit: passphraseLimit, dropTrailingNewline: false)
    return openVault(request, passphrase, presence)
  } catch {
    return .failed(VaultFailure(.other, error.description))
  }
}

private func openVault(
  _ request: OpenRequest, _ passphrase: borrowing SecretBytes, _ presence: ParentPresence
) -> OpenReply {
  do {
    if let format = ForeignFormat(request.type, pim: request.pim) {
      return try openForeign(request, format, passphrase, presence)
    }
    let device = try LUKSDevice(device: request.device, header: request.header)
    if let limit = request.memoryLimitKiB, let failure = limitMemory(toMore: limit) {
      return .failed(failure)
    }
    let activation = try tryingRecoveryKey(passphrase) { (typed) throws(LUKSError) in
      try device.activate(
        mapping: request.mapping, passphrase: typed, options: ActivationOptions(crypttab: request.options)
      ) {
        presence.commit()
        setOutOfMemoryScore(0)
      }
    }
    switch activation {
    case .opened(let keyslot): return .opened(keyslot: keyslot)
    case .alreadyOpen: return .alreadyOpen
    }
  } catch {
    var failure = VaultFailure(error)
    if failure.kind == .noMemory {
      let allowed = request.memoryLimitKiB ?? availableMemoryKiB()
      failure.detail += allowed.map { "; \($0) KiB are available" } ?? ""
    }
    return .failed(failure)
  }
}

private func openForeign(
  _ request: OpenRequest, _ format: ForeignFormat, _ passphrase: borrowing SecretBytes, _ presence: ParentPresence
) throws(LUKSError) -> OpenReply {
  let volume = try ForeignVolume(device: request.device, format)
  let activation = try volume.activate(
    mapping: request.mapping, passphrase: passphrase, options: ActivationOptions(crypttab: request.options)
  ) {
    presence.commit()
    setOutOfMemoryScore(0)
  }
  switch activation {
  case .opened(let keyslot): return .opened(keyslot: keyslot)
  case .alreadyOpen: return .alreadyOpen
  }
}

extension ForeignFormat {
  /// Nil: not a foreign one.
  init?(_ type: VaultType, pim: Int?) {
    switch type {
    case .veracrypt: self = .veracrypt(pim: pim.flatMap { UInt32(exactly: $0) } ?? 0)
    case .bitlocker: self = .bitlocker
    case .luks, .gocryptfs, .plain: return nil
    }
  }
}

/// A token may wait for a touch that never comes: as long as it does, this process can be ended.
private func openByToken(_ request: OpenRequest, _ presence: ParentPresence) -> OpenReply {
  do {
    let device = try LUKSDevice(device: request.device, header: request.header)
    if let limit = request.memoryLimitKiB, let failure = limitMemory(toMore: limit) { return .failed(failure) }
    let activation = try device.activateByToken(
      mapping: request.mapping, options: ActivationOptions(crypttab: request.options)
    ) {
      presence.commit()
      setOutOfMemoryScore(0)
    }
    switch activation {
    case .opened(let keyslot): return .opened(keyslot: keyslot)
    case .alreadyOpen: return .alreadyOpen
    }
  } catch {
    return .failed(VaultFailure(error))
  }
}

/// Closes the mapping.
func closeVault(_ request: CloseRequest) -> CloseReply {
  do {
    switch try LUKSDevice.deactivate(mapping: request.mapping) {
    case .closed: return .closed
    case .alreadyClosed: return .alreadyClosed
    }
  } catch {
    return .failed(VaultFailure(error))
  }
}

/// Takes the mapping's key out of the kernel.
func revokeKey(_ request: RevokeRequest) -> RevokeReply {
  do {
    switch try LUKSDevice.revokeKey(mapping: request.mapping) {
    case .revoked: return .revoked
    case .notOpen: return .notOpen
    }
  } catch {
    return .failed(VaultFailure(error))
  }
}

extension VaultFailure {
  init(_ error: LUKSError) {
    let kind: Kind =
      switch error.kind {
      case .noDevice: .noDevice
      case .notLUKS: .notLUKS
      case .otherFormat: .otherFormat
      case .damagedHeader: .damagedHeader
      case .nameTaken: .nameTaken
      case .notAccepted: .notAccepted
      case .noMemory: .noMemory
      case .noDeviceMapper: .noDeviceMapper
      case .busy: .busy
      case .noToken: .noToken
      case .noKeyslot: .noKeyslot
      case .notChanged: .notChanged
      case .notSaved: .notSaved
      case .other: .other
      }
    self.init(kind, error.detail)
  }
}
