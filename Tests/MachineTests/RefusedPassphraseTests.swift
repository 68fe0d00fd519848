import Foundation
import MachineKit
import Testing

/// Passphrases that open nothing, from anywhere but a terminal.
struct RefusedPassphraseTests {
  @Test(arguments: Release.both)
  func aWrongPassphraseIsNotAcceptedAndLeavesNothingBehind(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let attempt = try await host.attempt("mailboot --stdin", stdin: GuestTools.wrongPassphrase)
      attempt.expectFailure(10, error: "the passphrase was not accepted", hint: "Caps Lock")
      #expect(attempt.stdout == "")
    }
  }

  @Test(arguments: Release.both)
  func anUnboundKeyslotDoesNotHideThatThePassphraseIsWrong(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.machine.succeed(
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
}
