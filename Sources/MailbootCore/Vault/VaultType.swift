/// `[vault] type`: where the vault's cleartext comes from.
public enum VaultType: String, CaseIterable, Codable, Sendable {
  /// A LUKS device, mapped and mounted.
  case luks
  /// An encrypted directory, shown by gocryptfs through FUSE.
  case gocryptfs
  /// A directory that is always there: nothing is encrypted here.
  case plain = "none"

  /// Whether there is anything to open, and so a passphrase.
  public var isEncrypted: Bool { self != .plain }
  /// Whether a token in its header may open it.
  public var hasTokens: Bool { self == .luks }
  /// What `[vault]` may say of it beside `type` and `mount`.
  var keys: Set<String> {
    switch self {
    case .luks: ["device", "mapping", "options", "filesystem", "header"]
    case .gocryptfs: ["device", "options"]
    case .plain: []
    }
  }
}
