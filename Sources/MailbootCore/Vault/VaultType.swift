/// `[vault] type`: where the vault's cleartext comes from.
public enum VaultType: String, CaseIterable, Codable, Sendable {
  /// A LUKS device, mapped and mounted.
  case luks
  /// A VeraCrypt or TrueCrypt container, mapped and mounted.
  case veracrypt
  /// A BitLocker volume, mapped and mounted.
  case bitlocker
  /// An encrypted directory, shown by gocryptfs through FUSE.
  case gocryptfs
  /// A directory that is always there: nothing is encrypted here.
  case plain = "none"

  /// Whether there is anything to open, and so a passphrase.
  public var isEncrypted: Bool { self != .plain }
  /// Whether device-mapper has it open under a name, with a file system to be mounted on it.
  public var isMapped: Bool {
    switch self {
    case .luks, .veracrypt, .bitlocker: true
    case .gocryptfs, .plain: false
    }
  }
  /// Whether its header is of a format that others have made, and of which only opening is known here.
  public var isForeign: Bool { self == .veracrypt || self == .bitlocker }
  /// As its makers write it.
  public var title: String {
    switch self {
    case .luks: "LUKS"
    case .veracrypt: "VeraCrypt"
    case .bitlocker: "BitLocker"
    case .gocryptfs, .plain: rawValue
    }
  }
  /// Whether a token in its header may open it.
  public var hasTokens: Bool { self == .luks }
  /// What `[vault]` may say of it beside `type` and `mount`.
  var keys: Set<String> {
    switch self {
    case .luks: ["device", "mapping", "options", "filesystem", "header"]
    case .veracrypt: ["device", "mapping", "options", "filesystem", "pim"]
    case .bitlocker: ["device", "mapping", "options", "filesystem"]
    case .gocryptfs: ["device", "options"]
    case .plain: []
    }
  }
  /// What some kind has.
  static let allKeys = allCases.reduce(into: Set<String>()) { $0.formUnion($1.keys) }
}
