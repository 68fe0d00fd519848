/// How the passphrase came.
public enum UnlockSource: String, Codable, Sendable {
  /// `stdin` is also any other descriptor that was handed over.
  case terminal, stdin, agent, bus, credential
  case keyFile = "key-file"
  case token
  /// The vault was open already.
  case none
}
