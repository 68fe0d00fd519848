import Cryptsetup
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// Makes a new volume with the passphrase on descriptor 3. Ends with its parent up to the end: what was there is lost from the first
/// write on, and whoever begins anew begins from nothing.
func format(_ request: FormatRequest, _ presence: ParentPresence) -> FormatReply {
  setOutOfMemoryScore(1000)
  do {
    let passphrase = try readSecret(
      from: workerPassphraseDescriptor, limit: passphraseLimit, dropTrailingNewline: false)
    let format = LUKSFormat(
      label: request.label, subsystem: VaultMark.unfinished, derivation: NewDerivation(request.cost),
      integrityMapping: request.integrityMapping)
    if request.integrityMapping != nil { presence.commit() }
    var told = monotonicSeconds()
    let uuid = try format.write(to: request.device, passphrase: passphrase) { done, total in
      // Nobody reads faster than that.
      guard monotonicSeconds() - told > 0.5 || done == total else { return }
      told = monotonicSeconds()
      let line = Array("\(done) \(total)\n".utf8)
      _ = write(STDERR_FILENO, line, line.count)
    }
    return .formatted(uuid: uuid)
  } catch let error as LUKSError {
    return .failed(VaultFailure(error))
  } catch {
    return .failed(VaultFailure(.other, "\(error)"))
  }
}

/// Marks a volume that was being made as whole.
func mark(_ request: MarkRequest) -> MarkReply {
  do {
    let device = try LUKSDevice(device: request.device)
    try device.set(label: request.label, subsystem: VaultMark.whole(filesystem: request.filesystem))
    return .marked
  } catch {
    return .failed(VaultFailure(error))
  }
}
