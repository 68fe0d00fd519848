import MachineKit
import SceneSupport
import Testing

/// Runs without root, without the bus, without a terminal, and on a vault that is locked.
struct PrivilegeTests {
  @Test(arguments: Release.both)
  func onlyStatusNeedsNoRoot(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      for verb in ["unlock", "verify", "plan"] {
        let attempt = try await host.attempt("runuser -u alice -- mailboot \(verb)")
        attempt.expectFailure(77, error: "\(verb) must be run as root", hint: "sudo mailboot \(verb)")
      }
      let status = try await host.attempt("runuser -u alice -- mailboot status")
      #expect(status.status == 2)
      #expect(status.stdout.contains("mail: locked since "), "\(status.stdout)\(status.stderr)")
      #expect(status.stderr == "")
    }
  }

  @Test(arguments: Release.both)
  func withoutTheBusNothingIsDoneAndStatusIsUnknown(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      func hiding(_ directory: String, _ command: String) -> String {
        "unshare --mount sh -c 'mount -t tmpfs none /run/\(directory) && \(command)'"
      }
      let nobody = try await host.attempt(hiding("dbus", "runuser -u alice -- mailboot status"))
      #expect(nobody.status == 1)
      #expect(nobody.stdout.contains("mail: unknown"), "\(nobody.stdout)\(nobody.stderr)")
      let root = try await host.attempt(hiding("dbus", "mount -t tmpfs none /run/systemd && mailboot status"))
      #expect(root.status == 1)
      #expect(root.stdout.contains("mail: unknown"), "\(root.stdout)\(root.stderr)")
      let unlock = try await host.attempt(
        hiding("dbus", "mount -t tmpfs none /run/systemd && mailboot --stdin"),
        stdin: GuestCredentials.vaultPassphrase)
      unlock.expectFailure(1, error: "systemd cannot be reached: ", hint: "is systemd running here?")
    }
  }

  @Test(arguments: Release.both)
  func aLockedVaultIsSaidToBeLocked(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let nobodyToAsk = try await host.attempt("setsid mailboot")
      nobodyToAsk.expectFailure(
        64, error: "the vault is locked, and there is no terminal to ask for the passphrase", hint: "--stdin")
      let verify = try await host.attempt("mailboot verify")
      verify.expectFailure(13, error: "the vault is locked", hint: "unlock it first: `mailboot`")
      let plan = try await host.attempt("mailboot plan")
      plan.expectSuccess("/vault_crypt")
      plan.expectNothingLeftBehind()
      let status = try await host.attempt("mailboot status --format json")
      #expect(status.status == 2)
      #expect(status.stdout.contains("\"locked\""))
    }
  }

  @Test func anUnknownOptionOrVerbIsAUsageError() async throws {
    try await MailHosts.with(.debian12) { host in
      for (arguments, error, help) in [
        ("--no-such-option", "Unknown option '--no-such-option'", "mailboot unlock --help"),
        ("no-such-verb", "Unexpected argument 'no-such-verb'", "mailboot --help"),
        ("unlock extra", "Unexpected argument 'extra'", "mailboot unlock --help"),
        ("--timeout soon", "The value 'soon' is invalid for '--timeout", "mailboot unlock --help"),
        ("--timeout=-1", "--timeout takes 0 to 86400 seconds", "mailboot unlock --help"),
        ("--raw", "--raw goes with --stdin", "mailboot unlock --help"),
      ] {
        let attempt = try await host.attempt("mailboot \(arguments)")
        attempt.expectFailure(64, error: error, hint: "`\(help)`")
      }
    }
  }
}
