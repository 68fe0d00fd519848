import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// Opening and closing by the worker.
extension LUKSVault {
  /// Seconds that a token may take, for others wait meanwhile.
  private static let tokenPatience = 60.0

  func open(
    _ passphrase: borrowing SecretBytes, device: String, byToken: Bool, _ tools: VaultTools
  ) throws(Failure) -> StepOutcome {
    if mapping != nil { return .unchanged }
    let request = OpenRequest(
      device: device, header: header, mapping: vault.mapping, memoryLimitKiB: availableMemoryKiB(),
      byToken: byToken, options: crypttabOptions, type: vault.kind, pim: vault.pim)
    let child = try tools.worker.begin(.open, request, secret: passphrase)
    do {
      // Key derivation may take as long as it likes: Ctrl-C ends it. A token may wait for somebody who is not there.
      _ = try child.run(tools.units.reactor, until: byToken ? Reactor.monotonic() + Self.tokenPatience : nil)
    } catch {
      // In the moment of activation the worker finishes what it does: then the mapping is there, and nobody is to have it.
      if mapping != nil { _ = try close(tools) }
      throw error
    }
    if child.end != .exited(0), mapping != nil {
      // It came to its end behind the activation and cannot say so: what nobody answers for is closed.
      _ = try close(tools)
    }
    if case .killed(SIGKILL)? = child.end {
      let needed = VaultFailure(
        .noMemory, "the kernel killed the key derivation; \((availableMemoryKiB() ?? 0) / 1024) MiB are available")
      throw .vault(needed, device: device)
    }
    if byToken, case .killed(SIGTERM)? = child.end {
      throw .vault(VaultFailure(.noToken, "no answer within \(Int(Self.tokenPatience)) s"), device: device)
    }
    switch try tools.worker.reply(OpenReply.self, of: child) {
    case .opened: return .changed
    case .alreadyOpen: return .unchanged
    case .failed(let failure) where failure.kind == .notAccepted:
      throw .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: passphrase.endsWithCarriageReturn)
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }

  func close(_ tools: VaultTools) throws(Failure) -> StepOutcome {
    for group in mapping.map({ DeviceMapper.volumeGroups(on: $0, sysfs: sysfs) }) ?? [] {
      let child = try startChild(["/usr/sbin/vgchange", "--activate", "n", group])
      guard try child.run(tools.units.reactor, until: Reactor.monotonic() + 60) == .exited(0) else {
        throw .vault(VaultFailure(.busy, Worker.complaint(child)), device: node)
      }
    }
    let reply = try tools.worker.ask(
      .close, CloseRequest(mapping: vault.mapping), as: CloseReply.self, reactor: tools.units.reactor, timeout: 60)
    switch reply {
    case .closed: return .changed
    case .alreadyClosed: return .unchanged
    case .failed(let failure): throw .vault(failure, device: node)
    }
  }
}
