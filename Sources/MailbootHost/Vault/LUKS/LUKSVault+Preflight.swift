import Linux
import MailbootCore

/// What can be known to fail before anybody types a passphrase.
extension LUKSVault {
  func checkClosed(_ tools: VaultTools, byToken: Bool) throws(Failure) -> String {
    let device = try DeviceResolver(vault: vault, timeout: tools.deviceTimeout).resolve(tools.units.reactor)
    if let mark = HeaderStore().interruptedRestore(onto: header ?? device, known: vault.header ?? vault.device) {
      tools.warn(
        "restoring the header of \(mark.target) from \(mark.file) was cut off:"
          + " `mailboot vault restore-header` goes on")
    }
    let summary = try inspect(device, tools)
    lastSummary = summary
    if byToken && !summary.hasTokens { throw .vault(VaultFailure(.noToken, "there is none"), device: device) }
    try requireMemory(summary.derivationMemoryKiB, device: device)
    try Mounts.checkFree(vault.mount)
    return device
  }

  func checkOpen(_ tools: VaultTools) throws(Failure) {
    guard let mapping else { return }
    guard mapping.isVolume(of: vault.kind) else {
      throw .vault(
        VaultFailure(
          .nameTaken, "\(vault.mapping) is no \(vault.kind.title) mapping (\(mapping.backing.joined(separator: ", ")))"),
        device: vault.mapping)
    }
    if mapping.backing.isEmpty {
      throw .vault(
        VaultFailure(.busy, "an emergency lock has taken its key away, and something still uses it"), device: node)
    }
    // With nothing configured anywhere, the only LUKS device there is is the vault: the one that is open.
    guard let device = try DeviceResolver(vault: vault, timeout: 0).resolveNamed(tools.units.reactor) else { return }
    if mapping.backing.contains(where: { resolvedPath($0) == resolvedPath(device) }) { return }
    // Between the two there may be other layers, of device-mapper too; a bare disk with the same UUID is a copy.
    let layered = mapping.backing.allSatisfy { resolvedPath($0)?.hasPrefix("/dev/dm-") ?? false }
    if layered, let uuid = mapping.volumeUUID, try inspect(device, tools).uuid.lowercased() == uuid.lowercased() {
      return
    }
    throw .vault(
      VaultFailure(
        .nameTaken, "\(vault.mapping) is open on \(mapping.backing.joined(separator: ", ")), not on \(device)"),
      device: device)
  }

  func headerBackup(_ headers: HeaderStore, _ tools: VaultTools) -> HeaderBackupState? {
    var summary = lastSummary
    if summary == nil, let device = try? DeviceResolver(vault: vault, timeout: 0).resolve(tools.units.reactor) {
      summary = try? inspect(device, tools)
    }
    return summary.map { headers.state($0.uuid, fingerprint: $0.fingerprint) }
  }

  private func inspect(_ device: String, _ tools: VaultTools) throws(Failure) -> LUKSSummary {
    let request = InspectRequest(device: device, header: header, type: vault.kind)
    let reply = try tools.worker.ask(
      .inspect, request, as: InspectReply.self, reactor: tools.units.reactor, timeout: 60)
    switch reply {
    case .luks(let summary): return summary
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }
}
