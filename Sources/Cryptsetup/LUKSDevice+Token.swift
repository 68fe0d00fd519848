import CCryptsetup
import Glibc

extension LUKSDevice {
  /// Opens the device as `/dev/mapper/` and `mapping` with whichever token in the LUKS2 header can: a key in the kernel's keyring, or
  /// one that a plugin of libcryptsetup knows how to ask (TPM, FIDO2). No person is asked for a PIN.
  ///
  /// - Throws: `.noToken` when none can.
  public func activateByToken(
    mapping: String, options: ActivationOptions = ActivationOptions()
  ) throws(LUKSError) -> Activation {
    if try isOpen(as: mapping) { return .alreadyOpen }
    guard hasTokens else { throw LUKSError(.noToken, "there is none") }
    let slot = crypt_activate_by_token(handle, mapping, CRYPT_ANY_TOKEN, nil, options.flags)
    if slot >= 0 { return .opened(keyslot: Int(slot)) }
    if slot == -EEXIST || slot == -EBUSY { return try afterFailedActivation(slot, mapping) }
    throw LUKSError(.noToken, slot == -ENOANO ? "it needs a PIN" : log.take(orTextOf: -slot))
  }

  /// Whether there is anything to try.
  public var hasTokens: Bool {
    guard version == 2 else { return false }
    return (0..<max(0, crypt_token_max(CRYPT_LUKS2))).contains {
      crypt_token_status(handle, $0, nil).rawValue > CRYPT_TOKEN_INACTIVE.rawValue
    }
  }
}
