extension SerialConsole {
  /// What root's shell shows when it waits for a command, on both lines.
  public static let prompt = "# "

  /// Logs root in at a line that shows `login:`, or has shown it a while ago.
  public func logIn(password: String = GuestCredentials.rootPassword, timeout: Duration = .seconds(120)) async throws {
    // An empty name makes the login ask again.
    try send("\n")
    try await expect("login: ", timeout: timeout)
    try send("root\n")
    try await expect("Password: ", timeout: timeout)
    try send(password + "\n")
    try await expect(Self.prompt, timeout: timeout)
  }
}

/// What opens a disposable machine. These protect nothing: they are the same everywhere and printed by `make demo`.
public enum GuestCredentials {
  /// root's password at `ttyS0`.
  public static let rootPassword = "mailhost"
  /// The vault's passphrase.
  public static let vaultPassphrase = "correct horse battery staple"
}
