import CCryptsetup
import Glibc
import Linux
import SecretMemory

extension LUKSDevice {
  /// Opens the device as `/dev/mapper/` and `mapping` with whichever token in the LUKS2 header can: a key in the kernel's keyring, or
  /// one that a plugin of libcryptsetup knows how to ask (TPM, FIDO2). No person is asked for a PIN.
  ///
  /// - Parameter beforeChange: called once a token has given the key and before anything is changed: up to then it may have to be waited
  ///   for, as for somebody who is to touch it.
  /// - Throws: `.noToken` when none can.
  public func activateByToken(
    mapping: String, options: ActivationOptions = ActivationOptions(), beforeChange: () -> Void = {}
  ) throws(LUKSError) -> Activation {
    if try isOpen(as: mapping) { return .alreadyOpen }
    guard hasTokens else { throw LUKSError(.noToken, "there is none") }
    let slot: Int32
    let result: Int32
    if hasRequirements {
      beforeChange()
      slot = crypt_activate_by_token(handle, mapping, CRYPT_ANY_TOKEN, nil, options.flags)
      if slot < 0 && slot != -EEXIST && slot != -EBUSY { throw tokenFailure(slot) }
      result = slot
    } else {
      var key = try emptyKey()
      slot = try unlockByToken(&key)
      beforeChange()
      result = key.withUnsafeBytes {
        crypt_activate_by_volume_key(handle, mapping, $0.baseAddress, $0.count, options.flags)
      }
    }
    return result < 0 ? try afterFailedActivation(result, mapping) : .opened(keyslot: Int(slot))
  }

  private func unlockByToken(_ key: inout SecretBytes) throws(LUKSError) -> Int32 {
    var context: OpaquePointer?
    let made = crypt_keyslot_context_init_by_token(handle, CRYPT_ANY_TOKEN, nil, nil, 0, nil, &context)
    guard made >= 0 else { throw tokenFailure(made) }
    defer { crypt_keyslot_context_free(context) }
    var slot: Int32 = 0
    key.appendInPlace { free in
      var size = free.count
      slot = crypt_volume_key_get_by_keyslot_context(handle, CRYPT_ANY_SLOT, free.baseAddress, &size, context)
      return slot < 0 ? 0 : size
    }
    guard slot >= 0 else { throw tokenFailure(slot) }
    return slot
  }

  private func tokenFailure(_ result: Int32) -> LUKSError {
    if result == -ENOANO { return LUKSError(.noToken, "it needs a PIN") }
    let said = log.take(orTextOf: -result)
    let refusals = allTokens.filter { $0.type == "systemd-tpm2" }.map { refusal($0) }
    _ = log.take(orTextOf: 0)
    return LUKSError(.noToken, refusals.isEmpty ? said : refusals.joined(separator: "; "))
  }

  /// Why a TPM does not open the volume: of all tokens together the library says only that none does. Others are not asked again: they
  /// may want to be touched.
  private func refusal(_ token: (number: Int32, type: String)) -> String {
    // A plugin that refuses and one that is not there are both ENOENT to the library.
    if crypt_token_status(handle, token.number, nil) == CRYPT_TOKEN_EXTERNAL_UNKNOWN {
      return "nothing here can ask the TPM (package systemd, on Debian 13 systemd-cryptsetup)"
    }
    if (listDirectory("/sys/class/tpmrm") ?? []).isEmpty { return "there is no TPM" }
    switch crypt_activate_by_token(handle, nil, token.number, nil, 0) {
    case 0...: return "the TPM opens it now"
    case -ENOANO: return "the TPM needs a PIN"
    case -EOPNOTSUPP: return "the libraries for the TPM are not installed (libtss2)"
    default:
      let registers = registers(of: token.number).map { " (PCR \($0))" } ?? ""
      return
        "the TPM refuses, because its registers\(registers) are not as they were when the key was enrolled, or it is"
        + " another TPM: firmware or boot loader may have changed"
    }
  }

  /// The registers that a TPM's token is bound to, as `0, 7`.
  private func registers(of token: Int32) -> String? {
    var json: UnsafePointer<CChar>?
    guard crypt_token_json_get(handle, token, &json) == token, let json else { return nil }
    let text = String(cString: json)
    guard let name = text.firstRange(of: "\"tpm2-pcrs\":["),
      let end = text[name.upperBound...].firstIndex(of: "]")
    else { return nil }
    let numbers = text[name.upperBound..<end].split(separator: ",").map { $0.filter(\.isNumber) }
    return numbers.isEmpty ? nil : numbers.joined(separator: ", ")
  }

  /// Whether there is anything to try.
  public var hasTokens: Bool { allTokens.contains { Self.opens($0.type) } }
}
