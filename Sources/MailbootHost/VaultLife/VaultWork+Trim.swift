import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// `mailboot vault trim`: whether what is deleted is given back to the disk.
extension VaultWork {
  public struct TrimPolicy: Sendable {
    /// What the header says.
    public var isStored: Bool
    /// What the open mapping does; nil: it is closed.
    public var isLive: Bool?
    /// Given back, bytes of the disk that a vault in a file takes; nil: on no file.
    public var fileBytes: UInt64?
  }

  /// - Throws: `.usage` for a kind that has no such policy.
  public func trimPolicy() throws(Failure) -> TrimPolicy {
    if configuration.vault.kind.isForeign {
      throw .usage(
        "a volume of \(configuration.vault.kind.title) cannot store it",
        hint: "put `discard` into the options of \(configuration.vault.mapping) in /etc/crypttab: `mailboot` heeds it")
    }
    guard configuration.vault.kind == .luks else {
      throw .usage(
        "what is deleted in \(configuration.vault.mount) is deleted in the file system below at once: nothing holds it back",
        hint: nil)
    }
    let (device, header) = try luks()
    let facts = try facts(device, header: header)
    let status = fileStatus(device)
    let isFile = status.map { mb_s_isreg($0.st_mode) != 0 } ?? false
    return TrimPolicy(
      isStored: facts.allowsDiscards || LUKSVault(configuration.vault).crypttabOptions.contains("discard"),
      isLive: liveDiscards, fileBytes: isFile ? status.map { UInt64($0.st_blocks) * 512 } : nil)
  }

  /// Stores it in the header, and refreshes the open mapping.
  public func setTrim(_ allow: Bool, _ passphrase: borrowing SecretBytes) throws(Failure) {
    let (device, header) = try luks()
    let facts = try facts(device, header: header)
    guard facts.version == 2 else {
      throw .usage(
        "a LUKS1 header cannot store it",
        hint: "put `discard` into the options of \(configuration.vault.mapping) in /etc/crypttab: `mailboot` heeds it")
    }
    let isOpen = try openMapping() != nil
    let request = VolumeRequest(
      device: device, header: header, mapping: isOpen ? configuration.vault.mapping : nil,
      memoryLimitKiB: availableMemoryKiB(), allow: allow)
    _ = try perform(.discards, request, passphrase)
  }

  /// Gives back what is free now.
  /// - Returns: what fstrim says.
  public func trimNow() throws(Failure) -> String {
    guard MountTable.current()?.mount(on: configuration.vault.mount) != nil else {
      throw .usage("the vault is not mounted", hint: "run `mailboot` first")
    }
    if configuration.vault.kind == .luks, liveDiscards == false {
      throw .usage(
        "the open vault keeps discards back", hint: "let them through first: `mailboot vault trim on`")
    }
    let lines = try mustRun(["/usr/sbin/fstrim", "-v", configuration.vault.mount])
    return lines.first ?? ""
  }
}
