import Foundation
import MachineKit

/// A guest for short tests: locked, with nothing of ours running, and with the tests' scripts.
public final class MailHost: Sendable {
  public let guest: any Guest
  public let vault: Vault
  /// Where the guest has the passphrase: on a tmpfs, without a newline.
  public static let passphraseFile = "/run/passphrase"

  /// - Parameter guest: fresh, booted.
  public init(_ guest: any Guest, _ vault: Vault) {
    self.guest = guest
    self.vault = vault
  }

  public var release: Release { guest.release }

  /// Puts in what the tests need.
  public func prepare() async throws {
    try await put(GuestTools.all)
    try await guest.succeed(
      """
      set -e
      umask 077
      cat >\(Self.passphraseFile)
      # What is tested here is the run itself; the tests of the service start it.
      systemctl stop mailboot
      """, stdin: Data(GuestCredentials.vaultPassphrase.utf8))
  }

  /// Puts scripts into `/usr/local/sbin`, by name.
  public func put(_ scripts: [String: String]) async throws {
    let commands = scripts.map { name, text in
      "base64 -d >\(name) <<END\n\(Data(text.utf8).base64EncodedString())\nEND\nchmod 755 \(name)\n"
    }
    try await guest.succeed("set -e; cd /usr/local/sbin\n" + commands.joined())
  }

  /// Runs a command of ours and notes what it changed on the guest.
  /// - Parameters:
  ///   - configuration: `mailboot.toml` for it; nil leaves what is there.
  ///   - stdin: nil: nothing at all.
  public func attempt(
    _ command: String, configuration: String? = nil, stdin: String? = nil, timeout: Duration = .seconds(240)
  ) async throws -> Attempt {
    if let configuration { try await configure(configuration) }
    return try await start(command, stdin: stdin).end(timeout: timeout)
  }

  /// Begins a run of a command of ours, to be waited for later.
  public func start(_ command: String, stdin: String? = nil) async throws -> PendingAttempt {
    PendingAttempt(
      command: try await guest.start(
        "attempt \(GuestTools.quoted(command))", stdin: stdin.map { Data($0.utf8) }), vault: vault)
  }

  /// `mailboot` with the right passphrase.
  public func unlock(
    _ options: String = "", configuration: String? = nil, timeout: Duration = .seconds(240)
  ) async throws -> Attempt {
    try await attempt(
      "mailboot --stdin \(options)", configuration: configuration, stdin: GuestCredentials.vaultPassphrase,
      timeout: timeout)
  }

  public func configure(_ toml: String) async throws {
    try await guest.succeed("cat >/etc/mailboot/mailboot.toml", stdin: Data(toml.utf8))
  }

  /// Changes what is in the locked vault: a shell command in its top directory.
  public func changeVault(_ command: String) async throws {
    let (open, close) =
      switch vault {
      case .luks:
        (
          "cryptsetup open --key-file \(Self.passphraseFile) /dev/vdb edited; mount /dev/mapper/edited /mnt/edited",
          "umount /mnt/edited; cryptsetup close edited"
        )
      case .gocryptfs:
        ("gocryptfs -q -passfile \(Self.passphraseFile) /vault_crypt /mnt/edited", "umount /mnt/edited")
      }
    try await guest.succeed(
      """
      set -e
      mkdir -p /mnt/edited
      \(open)
      (cd /mnt/edited; \(command))
      \(close)
      """)
  }
}
