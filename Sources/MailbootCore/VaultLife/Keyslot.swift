/// One keyslot of a LUKS header, as what it is.
public struct Keyslot: Codable, Equatable, Sendable {
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// Somebody types it, or a file holds it.
    case passphrase
    /// systemd's recovery key.
    case recovery
    case tpm2
    case fido2
    /// A smart card.
    case pkcs11
    case clevis
    /// A key that lies in the kernel's keyring.
    case keyring
    /// A token of another type.
    case token
    /// It holds another key than the volume's: it opens nothing.
    case unbound
    /// The library's own, while a volume is re-encrypted.
    case reencryption
    /// What a cut has left of a change; the next change clears it away.
    case unfinished
  }

  public var number: Int
  public var kind: Kind
  /// Types of the tokens that use it, as in the header.
  public var tokens: [String]
  /// `normal`, `prefer` or `ignore`.
  public var priority: String
  /// `argon2id`, `argon2i` or `pbkdf2`, the last one with its hash; empty: not known.
  public var derivation: String
  /// 0 for PBKDF2.
  public var memoryKiB: Int
  public var iterations: Int
  public var threads: Int
  /// How long its derivation takes on this machine; nil: not measured.
  public var seconds: Double?

  public init(
    number: Int, kind: Kind, tokens: [String] = [], priority: String = "normal", derivation: String = "",
    memoryKiB: Int = 0, iterations: Int = 0, threads: Int = 0, seconds: Double? = nil
  ) {
    self.number = number
    self.kind = kind
    self.tokens = tokens
    self.priority = priority
    self.derivation = derivation
    self.memoryKiB = memoryKiB
    self.iterations = iterations
    self.threads = threads
    self.seconds = seconds
  }

  /// Whether it can open the volume.
  public var isUsable: Bool { ![.unbound, .reencryption, .unfinished].contains(kind) }
  /// Whether somebody can open it who has nothing but what is written down or remembered.
  public var isTyped: Bool { kind == .passphrase || kind == .recovery }
}

extension Keyslot.Kind {
  /// By the types of the tokens that use a keyslot of the volume's key.
  public init(tokens: [String]) {
    self = .passphrase
    for token in tokens {
      switch token {
      case "systemd-recovery": self = .recovery
      case "systemd-tpm2": self = .tpm2
      case "systemd-fido2": self = .fido2
      case "systemd-pkcs11": self = .pkcs11
      case "clevis": self = .clevis
      case "luks2-keyring": self = .keyring
      default: self = .token
      }
    }
  }

  /// For people.
  public var name: String {
    switch self {
    case .tpm2: "TPM2"
    case .fido2: "FIDO2"
    case .pkcs11: "smart card"
    case .clevis: "Clevis"
    default: rawValue
    }
  }
}

/// All keyslots of a header, and which header it is.
public struct KeyTable: Codable, Equatable, Sendable {
  /// 1 or 2.
  public var version: Int
  public var uuid: String
  public var label: String?
  public var keyslots: [Keyslot]
  /// How many there can be.
  public var capacity: Int
  /// Of keyslots, digests and tokens, see `HeaderBackupState`.
  public var fingerprint: String

  public init(
    version: Int, uuid: String, label: String?, keyslots: [Keyslot], capacity: Int, fingerprint: String
  ) {
    self.version = version
    self.uuid = uuid
    self.label = label
    self.keyslots = keyslots
    self.capacity = capacity
    self.fingerprint = fingerprint
  }
}

/// What is left to open the volume without one keyslot.
public enum KeyRemoval: Equatable, Sendable {
  /// A passphrase.
  case harmless
  /// No passphrase, but a recovery key.
  case leavesRecovery
  /// Only what needs a device or a service: with its loss the vault is lost.
  case leavesTokens([Keyslot.Kind])
  /// Nothing.
  case leavesNothing

  public init(of number: Int, in keyslots: [Keyslot]) {
    // What has the priority "ignore" is tried only where somebody names it.
    let rest = keyslots.filter { $0.isUsable && $0.number != number && $0.priority != "ignore" }
    // What opens nothing takes nothing away.
    if keyslots.contains(where: { $0.number == number && !$0.isUsable }) {
      self = .harmless
    } else if rest.isEmpty {
      self = .leavesNothing
    } else if rest.contains(where: { $0.kind == .passphrase }) {
      self = .harmless
    } else if rest.contains(where: { $0.kind == .recovery }) {
      self = .leavesRecovery
    } else {
      self = .leavesTokens(rest.map(\.kind))
    }
  }

  /// Whether it has to be insisted on.
  public var needsForce: Bool {
    switch self {
    case .harmless, .leavesRecovery: false
    case .leavesTokens, .leavesNothing: true
    }
  }
}
