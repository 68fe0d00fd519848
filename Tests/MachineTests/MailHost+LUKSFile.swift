import MachineKit
import SceneSupport

extension MailHost {
  /// Makes a LUKS file with an ext4 file system and a `mailbox` in it, opened by the vault's passphrase.
  func makeLUKSFile(_ path: String, format: String = "--type luks2", open: String = "") async throws {
    try await guest.succeed(
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
