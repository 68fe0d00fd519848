/// What the key derivation of a new keyslot is to cost.
///
/// It must be possible again after a reboot, with mail's memory in use, on the smallest machine that has to open the vault: so at most
/// a quarter of that one's memory, and never more than 1 GiB, beyond which cryptsetup does not go by itself either.
public struct KeyDerivationCost: Codable, Equatable, Sendable {
  /// For Argon2id, KiB.
  public var memoryKiB: Int
  /// How long it is to take on this machine.
  public var milliseconds = 2000
  /// At most; no more than there are processors.
  public var threads = 4
  /// Rounds of PBKDF2 that are not to be measured: for a key that nobody can guess. Nil: Argon2id.
  public var iterations: Int?

  /// The most that is taken, KiB.
  static let most = 1 << 20
  /// The least that Argon2id in libcryptsetup takes, KiB.
  static let least = 32

  /// - Parameter totalMemoryKiB: of the smallest machine that is to open the vault.
  public init(totalMemoryKiB: Int) {
    memoryKiB = min(Self.most, max(Self.least, totalMemoryKiB / 4))
  }

  /// For 256 random bits: stretching them is no use.
  public static let ofRandomKey = KeyDerivationCost(iterations: 1000)

  public init(iterations: Int) {
    memoryKiB = 0
    self.iterations = iterations
  }
}
