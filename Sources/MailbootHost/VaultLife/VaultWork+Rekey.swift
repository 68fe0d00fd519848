import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// `mailboot vault rekey`: a new volume key, everything encrypted anew in place, while mail goes on.
extension VaultWork {
  public struct RekeyState: Sendable {
    /// One has begun: this goes on with it.
    public var isBegun: Bool
    /// It was cut in the middle of a write.
    public var isCut: Bool
    /// Keyslots beside the one whose passphrase is given: they go with the old key.
    public var otherKeyslots: Int
    public var isOpen: Bool
  }

  /// What can be known before; changes nothing.
  public func rekeyState() throws(Failure) -> RekeyState {
    guard configuration.vault.kind == .luks else {
      throw .usage(
        "a vault of type \"\(configuration.vault.kind.rawValue)\" cannot be encrypted anew in place",
        hint: "make a new one with `mailboot vault create ... --next`, then `mailboot vault move`")
    }
    let (device, header) = try luks()
    let facts = try facts(device, header: header)
    let move = "make a new one with `mailboot vault create ... --next`, then `mailboot vault move`"
    if facts.version == 1 {
      throw .usage("a LUKS1 volume cannot be given a new key while it is in use", hint: move)
    }
    if let integrity = facts.integrity {
      throw .usage("a volume with integrity (\(integrity)) cannot be given a new key in place", hint: move)
    }
    if let header {
      throw .usage(
        "the header is in a file of its own (\(header)): a cut would leave no record beside the data", hint: move)
    }
    if let trouble = facts.copyTrouble.first, facts.reencryption == .none {
      throw .usage("\(trouble): a new key needs a sound header first", hint: "opening the vault repairs it: `mailboot`")
    }
    return RekeyState(
      isBegun: facts.reencryption != .none, isCut: facts.reencryption == .cut,
      otherKeyslots: max(0, facts.keyslots - 1), isOpen: try openMapping() != nil)
  }

  /// - Parameter progress: bytes done, of all.
  /// - Returns: whether it is done; false: it was stopped at a safe point.
  public func rekey(
    _ passphrase: borrowing SecretBytes, progress: @escaping (RekeyLine) -> Void
  ) throws(Failure) -> Bool {
    let (device, header) = try luks()
    let isOpen = try openMapping() != nil
    let request = VolumeRequest(
      device: device, header: header, mapping: isOpen ? configuration.vault.mapping : nil,
      memoryLimitKiB: availableMemoryKiB())
    // Whatever backup there is opens nothing any more.
    defer { rememberHeader() }
    let reply = try perform(.rekey, request, passphrase, progress: progress)
    return reply == .done
  }
}
