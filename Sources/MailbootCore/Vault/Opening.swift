/// Whether the vault's cleartext can be read now.
public enum Opening: Equatable, Sendable {
  case closed
  case open(OpenVault)
  /// Neither: whatever gave the cleartext has ended, and what it leaves behind is in the way. Why, in a sentence.
  case broken(String)

  public var vault: OpenVault? {
    if case .open(let vault) = self { vault } else { nil }
  }

  public var isOpen: Bool { vault != nil }

  /// Why nothing in it can be read or written, though it is not simply closed.
  public var breakdown: Failure? {
    switch self {
    case .closed: nil
    case .broken(let why): .broken(why)
    case .open(let vault): vault.answers ? nil : .stuck(vault.flaws.first ?? "the vault does not answer")
    }
  }
}

/// A vault whose cleartext can be read, whatever its kind.
public struct OpenVault: Equatable, Sendable {
  /// `major:minor` of the vault's file system: what is mounted under this number is the vault. Nil: it has none of its own.
  public var device: String?
  /// What it is kept on, for people: a block device, the file behind a loop device, an encrypted directory. Nil: not known.
  public var backing: String?
  /// The LUKS header's, with dashes.
  public var uuid: String?
  /// What is wrong with it, a sentence each, although it is open.
  public var flaws: [String]
  /// False: whoever serves its files does not answer, and whoever reads or writes there hangs. The flaws say so.
  public var answers: Bool

  public init(
    device: String?, backing: String? = nil, uuid: String? = nil, flaws: [String] = [], answers: Bool = true
  ) {
    self.device = device
    self.backing = backing
    self.uuid = uuid
    self.flaws = flaws
    self.answers = answers
  }
}
