import Console
import Glibc
import MailbootCore
import MailbootHost
import QRCodes
import SecretMemory

/// Gives a new recovery key a keyslot, and shows it, this once.
///
/// - Parameter qr: whether as a QR code, too; nil: at a terminal.
func makeRecoveryKey(openedBy existing: borrowing SecretBytes, _ work: VaultWork, qr: Bool?) throws(Failure) {
  let recovery: SecretBytes
  do { recovery = try RecoveryKey.generate() } catch { throw .system("\(error)") }
  let change = try work.addRecoveryKey(recovery, openedBy: existing)
  if case .changed(let keyslot, _, let cleared, _) = change {
    sayCleared(cleared)
    tell("enrolled: keyslot \(keyslot ?? 0). This recovery key opens the vault, and is not shown again:")
  }
  if isatty(1) == 1 { emit("\n    ", to: 1) }
  do { try write(recovery, to: 1) } catch { throw .system("\(error)") }
  emit(isatty(1) == 1 ? "\n\n" : "\n", to: 1)
  showCode(recovery, qr)
  tell("write it down or print it, and keep it where the vault is not")
}

private func showCode(_ recovery: borrowing SecretBytes, _ qr: Bool?) {
  let output = Terminal(descriptor: 1)
  guard qr ?? output.isLive else { return }
  do {
    // The library wants its end marked.
    var text = try SecretBytes(capacity: recovery.count + 1)
    try text.append(contentsOf: recovery)
    try text.append(0)
    let drawing = try text.withUnsafeBytes { bytes in
      try QRCode.drawing(terminated: bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
    emit(try QRText(drawing: drawing, terminal: output).text(), to: 1)
  } catch let failure as QRFailure {
    tell("no QR code: " + failure.summary + (failure.hint.map { "; \($0)" } ?? ""))
  } catch {
    tell("no QR code: \(error)")
  }
}
