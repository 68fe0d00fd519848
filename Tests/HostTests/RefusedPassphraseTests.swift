import Foundation
import MachineKit
import SceneSupport
import Testing

/// Passphrases from anywhere but a terminal that open nothing.
struct RefusedPassphraseTests {
  @Test(arguments: Release.both)
  func aWrongPassphraseIsNotAcceptedAndLeavesNothingBehind(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let wrong = try await host.attempt("mailboot --stdin", stdin: GuestTools.wrongPassphrase)
      wrong.expectFailure(10, error: "the passphrase was not accepted", hint: "Caps Lock")
      #expect(wrong.stdout == "")

      let empty = try await host.attempt("mailboot --stdin")
      empty.expectFailure(10, error: "the passphrase is empty", hint: "an empty passphrase is never tried")
      let onlyNewline = try await host.attempt("mailboot --stdin", stdin: "\n")
      onlyNewline.expectFailure(10, error: "the passphrase is empty", hint: "an empty passphrase is never tried")
      let emptyFile = try await host.attempt("touch /run/empty; chmod 600 /run/empty; mailboot --key-file /run/empty")
      emptyFile.expectFailure(10, error: "the passphrase is empty", hint: "an empty passphrase is never tried")
    }
  }

  @Test func onlyStandardInputLosesANewlineAndOnlyOne() async throws {
    try await MailHosts.with(.debian12) { host in
      let right = GuestCredentials.vaultPassphrase
      let refused = "the passphrase was not accepted"
      let newline = "this cannot be the passphrase: it contains a newline, which gocryptfs takes for its end"
      let twoNewlines = try await host.attempt("mailboot --stdin", stdin: right + "\n\n")
      twoNewlines.expectFailure(64, error: newline, hint: "exactly the passphrase's bytes")
      let raw = try await host.attempt("mailboot --stdin --raw", stdin: right + "\n")
      raw.expectFailure(64, error: newline, hint: "exactly the passphrase's bytes")
      let windows = try await host.attempt("mailboot --stdin", stdin: right + "\r\n")
      windows.expectFailure(10, error: refused, hint: "carriage return (CR)")
      let descriptor = try await host.attempt("mailboot --passphrase-fd 7 7<&0", stdin: right + "\n")
      descriptor.expectFailure(64, error: newline, hint: "exactly the passphrase's bytes")
      let keyFile = try await host.attempt(
        "umask 077; (cat \(MailHost.passphraseFile); echo) >/run/key; mailboot --key-file /run/key")
      keyFile.expectFailure(64, error: newline, hint: "exactly the passphrase's bytes")

      let oneNewline = try await host.attempt(
        "mailboot --stdin --no-start", configuration: Settings.toml(), stdin: right + "\n")
      oneNewline.expectSuccess("mounted and verified")
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

  @Test func aSourceThatCannotBeReadOrIsTooLongIsAUsageError() async throws {
    try await MailHosts.with(.debian12) { host in
      let tooLong = String(repeating: "x", count: 8193)
      let stdin = try await host.attempt("mailboot --stdin", stdin: tooLong)
      stdin.expectFailure(64, error: "--stdin: the passphrase is longer than 8192 bytes", hint: nil)
      let descriptor = try await host.attempt("mailboot --passphrase-fd 7 7<&0", stdin: tooLong)
      descriptor.expectFailure(64, error: "--passphrase-fd 7: the passphrase is longer than 8192 bytes", hint: nil)
      let closed = try await host.attempt("mailboot --passphrase-fd 7")
      closed.expectFailure(
        64, error: "--passphrase-fd 7: this descriptor is not open", hint: "mailboot --passphrase-fd 7 7< FILE")
      let missing = try await host.attempt("mailboot --key-file /run/none")
      missing.expectFailure(
        64, error: "the key file /run/none cannot be read: No such file or directory", hint: "correct the path")
      let directory = try await host.attempt("mailboot --key-file /run")
      directory.expectFailure(64, error: "the key file /run is not a regular file", hint: "--stdin --raw")
      let two = try await host.attempt("mailboot --stdin --key-file /run/passphrase")
      two.expectFailure(
        64, error: "only one of --stdin, --passphrase-fd and --key-file", hint: "mailboot unlock --help")
      let longest = try await host.attempt("mailboot --stdin", stdin: String(tooLong.dropFirst()) + "\n")
      longest.expectFailure(
        64, error: "this cannot be the passphrase: it has 8192 bytes, and gocryptfs takes 2048",
        hint: "exactly the passphrase's bytes")
    }
  }
}
