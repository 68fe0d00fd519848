/// `[vault] type`: where the vault's cleartext comes from.
public enum VaultType: String, CaseIterable, Codable, Sendable {
  /// A LUKS device, mapped and mounted.
  case luks
  /// An encrypted directory, shown by gocryptfs through FUSE.
  case gocryptfs
  /// A directory that is always there: nothing is encrypted here.
  case plain = "none"
}
