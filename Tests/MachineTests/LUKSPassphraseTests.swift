import MachineKit
import SceneSupport
import Testing

/// Passphrases and keyslots.
struct LUKSPassphraseTests {
  @Test(arguments: [Release.debian13])
  func anUnboundKeyslotDoesNotHideThatThePassphraseIsWrong(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        """
        printf 'the key of something else' | cryptsetup luksAddKey --batch-mode --unbound --key-size 256 \
          --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file \(MailHost.passphraseFile) /dev/vdb -
        """)
      let wrong = try await host.attempt("mailboot --stdin", stdin: GuestTools.wrongPassphrase)
      wrong.expectFailure(10, error: "the passphrase was not accepted", hint: "Caps Lock")
      let unbound = try await host.attempt("mailboot --stdin", stdin: "the key of something else")
      unbound.expectFailure(10, error: "the passphrase was not accepted", hint: "Caps Lock")
      let right = try await host.unlock("--no-start", configuration: Settings.toml())
      right.expectSuccess("mounted and verified")
      right.expectOpened()
    }
  }

  @Test func theExactBytesOpenTheVaultFromEverySource() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.configure(Settings.toml())
      try await host.guest.succeed("mailboot vault backup-header")
      let passphrase = MailHost.passphraseFile
      for (source, stdin) in [
        ("--stdin --raw", GuestCredentials.vaultPassphrase), ("--passphrase-fd 7 7<\(passphrase)", nil),
        ("--key-file \(passphrase)", nil),
      ] {
        let attempt = try await host.attempt("mailboot --no-start \(source)", stdin: stdin)
        attempt.expectSuccess("mounted and verified")
        attempt.expectOpened()
        #expect(!attempt.stderr.contains("warning"))
        try await host.guest.succeed(host.vault.close)
      }
      let readable = try await host.attempt(
        "chmod 644 \(passphrase); mailboot --no-start --key-file \(passphrase); chmod 600 \(passphrase)")
      #expect(readable.stderr.contains("warning: others may read the key file \(passphrase): `chmod 600 "))
    }
  }

  @Test func onlyStandardInputLosesANewlineAndOnlyOne() async throws {
    try await MailHosts.with(.debian12) { host in
      let right = GuestCredentials.vaultPassphrase
      let refused = "the passphrase was not accepted"
      let twoNewlines = try await host.attempt("mailboot --stdin", stdin: right + "\n\n")
      twoNewlines.expectFailure(10, error: refused, hint: "Caps Lock")
      let raw = try await host.attempt("mailboot --stdin --raw", stdin: right + "\n")
      raw.expectFailure(10, error: refused, hint: "Caps Lock")
      let windows = try await host.attempt("mailboot --stdin", stdin: right + "\r\n")
      windows.expectFailure(10, error: refused, hint: "carriage return (CR)")
      let descriptor = try await host.attempt("mailboot --passphrase-fd 7 7<&0", stdin: right + "\n")
      descriptor.expectFailure(10, error: refused, hint: "Caps Lock")
      let keyFile = try await host.attempt(
        "umask 077; (cat \(MailHost.passphraseFile); echo) >/run/key; mailboot --key-file /run/key")
      keyFile.expectFailure(10, error: refused, hint: "Caps Lock")

      let longest = try await host.attempt("mailboot --stdin", stdin: String(repeating: "x", count: 8192) + "\n")
      longest.expectFailure(10, error: refused, hint: "Caps Lock")

      let oneNewline = try await host.attempt(
        "mailboot --stdin --no-start", configuration: Settings.toml(), stdin: right + "\n")
      oneNewline.expectSuccess("mounted and verified")
    }
  }
}
