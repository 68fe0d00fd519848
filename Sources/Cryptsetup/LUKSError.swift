import Glibc

/// Why a LUKS device could not be read, opened or closed.
public struct LUKSError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// The path does not exist or is neither block device nor regular file.
    case noDevice
    /// There is no LUKS header, neither the primary nor a secondary one.
    case notLUKS
    /// There is no volume of the format that was asked for.
    case otherFormat
    /// A LUKS header is there, but no copy of it can be used.
    case damagedHeader
    /// The mapping's name belongs to another device; `detail` names it.
    case nameTaken
    /// The passphrase opens no keyslot of the volume.
    case notAccepted
    /// Not enough memory for the key derivation.
    case noMemory
    /// The kernel offers no device-mapper.
    case noDeviceMapper
    /// The device or mapping is in use.
    case busy
    /// No token in the header opened the volume, or there is none.
    case noToken
    /// Every keyslot is in use, or the header has no room for one more.
    case noKeyslot
    /// A change of the header was refused.
    case notChanged
    /// A copy of the header could not be written; nothing else was begun.
    case notSaved
    case other
  }

  public var kind: Kind
  /// One line: what libcryptsetup or the kernel said.
  public var detail: String

  public init(_ kind: Kind, _ detail: String) {
    self.kind = kind
    self.detail = detail
  }

  public var description: String { detail }
}
