import Cryptsetup
import Linux
import MailbootCore
import SecretMemory

/// Which keyslot the passphrase opens; nothing is changed.
func testKey(_ request: TestKeyRequest) -> TestKeyReply {
  setOutOfMemoryScore(1000)
  do {
    let passphrase = try readSecret(
      from: workerPassphraseDescriptor, limit: passphraseLimit, dropTrailingNewline: false)
    LUKSDevice.preventHeaderRepair()
    let device = try LUKSDevice(device: request.device, header: request.header)
    if let limit = request.memoryLimitKiB, let failure = limitMemory(toMore: limit) { return .failed(failure) }
    let begun = monotonicSeconds()
    let keyslot = try device.check(passphrase: passphrase)
    return .opens(keyslot: keyslot, seconds: monotonicSeconds() - begun)
  } catch let error as LUKSError {
    return .failed(VaultFailure(error))
  } catch {
    return .failed(VaultFailure(.other, "\(error)"))
  }
}
