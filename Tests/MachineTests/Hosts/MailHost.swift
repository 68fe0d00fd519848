import Foundation
import MachineKit

/// A machine made ready for many short tests: locked, its vault opening at once instead of after seconds of key derivation.
final class MailHost: Sendable {
  let machine: Machine
  private static let state = "prepared"
  /// Where the guest has the passphrase: on a tmpfs, without a newline.
  static let passphraseFile = "/run/passphrase"

  init(_ release: Release) async throws {
    machine = try await Machine.fresh(release)
    do {
      try await machine.put(Self.passphraseFile, Data(GuestCredentials.vaultPassphrase.utf8), mode: 0o600)
      for (name, text) in GuestTools.all {
        try await machine.put("/usr/local/sbin/" + name, Data(text.utf8), mode: 0o755)
      }
      try await machine.succeed(
        """
        set -e
        # What is tested here is the run itself; the tests of the service start it.
        systemctl stop mailboot
        cryptsetup luksConvertKey --batch-mode --key-file \(Self.passphraseFile) \
          --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb
        # What is in the page cache now is there at once after every restore.
        mailboot status >/dev/null || test $? = 2
        mailboot plan >/dev/null
        """)
      try await machine.saveState(Self.state)
    } catch {
      machine.close()
      throw error
    }
  }

  var release: Release { machine.release }

  func restore() async throws { try await machine.restore(Self.state) }

  /// Runs a command of ours and notes what it changed on the machine.
  /// - Parameters:
  ///   - configuration: `mailboot.toml` for it; nil leaves what is there.
  ///   - stdin: nil: nothing at all.
  func attempt(
    _ command: String, configuration: String? = nil, stdin: String? = nil, timeout: Duration = .seconds(240)
  ) async throws -> Attempt {
    if let configuration { try await configure(configuration) }
    return try await start(command, stdin: stdin).end(timeout: timeout)
  }

  /// Begins a run of a command of ours, to be waited for later.
  func start(_ command: String, stdin: String? = nil) async throws -> PendingAttempt {
    PendingAttempt(
      command: try await machine.start(
        "attempt \(GuestTools.quoted(command))", stdin: stdin.map { Data($0.utf8) }))
  }

  /// `mailboot` with the right passphrase.
  func unlock(_ options: String = "", configuration: String? = nil, timeout: Duration = .seconds(240)) async throws
    -> Attempt
  {
    try await attempt(
      "mailboot --stdin \(options)", configuration: configuration, stdin: GuestCredentials.vaultPassphrase,
      timeout: timeout)
  }

  func configure(_ toml: String) async throws {
    try await machine.succeed("cat >/etc/mailboot/mailboot.toml", stdin: Data(toml.utf8))
  }

  /// Changes what is in the locked vault: a shell command in its top directory.
  func changeVault(_ command: String) async throws {
    try await machine.succeed(
      """
      set -e
      cryptsetup open --key-file \(Self.passphraseFile) /dev/vdb edited
      mkdir -p /mnt/edited
      mount /dev/mapper/edited /mnt/edited
      (cd /mnt/edited; \(command))
      umount /mnt/edited
      cryptsetup close edited
      """)
  }

  /// Makes a LUKS file with an ext4 file system and a `mailbox` in it, opened by the vault's passphrase.
  func makeLUKSFile(_ path: String, format: String = "--type luks2", open: String = "") async throws {
    try await machine.succeed(
      """
      set -e
      [ -b \(path) ] || truncate -s 24M \(path)
      cryptsetup luksFormat --batch-mode --key-file \(Self.passphraseFile) --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
        \(format) \(path)
      cryptsetup open --key-file \(Self.passphraseFile) \(open) \(path) making
      mkfs.ext4 -q /dev/mapper/making
      mount /dev/mapper/making /mnt
      rmdir /mnt/lost+found
      touch /mnt/mailbox
      umount /mnt
      cryptsetup close making
      """)
  }
}
