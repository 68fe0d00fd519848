import MachineKit

/// The kind of a guest's vault, and what the tests do with it without our programs.
public enum Vault: Sendable {
  /// `/dev/vdb`, open as `vault-blk`.
  case luks
  /// `/vault_crypt`.
  case gocryptfs

  /// A shell command that opens it.
  public var open: String {
    switch self {
    case .luks:
      "cryptsetup open --key-file \(MailHost.passphraseFile) /dev/vdb vault-blk && mount /dev/mapper/vault-blk /vault"
    case .gocryptfs: "gocryptfs -q -allow_other -passfile \(MailHost.passphraseFile) /vault_crypt /vault"
    }
  }

  /// A shell command that closes it, after its services.
  public var close: String {
    switch self {
    case .luks: "umount /vault && cryptsetup close vault-blk"
    // Its process ends a moment after its mount.
    case .gocryptfs:
      "umount /vault && timeout 10 sh -c 'while pgrep -x gocryptfs; do sleep 0.05; done' >/dev/null"
    }
  }

  /// Lines of `traces` that a run of ours adds when it opens and mounts it.
  public var traces: [String] {
    switch self {
    case .luks: ["mapping vault-blk", "mount /vault /", "unit vault.mount active"]
    case .gocryptfs:
      ["mount /vault /", "process gocryptfs", "unit gocryptfs-vault.service active"]
    }
  }

  /// A shell command that prints nothing while it is closed.
  public var look: String {
    switch self {
    case .luks: "findmnt /vault; dmsetup table | grep -v '^No devices found$'"
    case .gocryptfs: "findmnt /vault; pgrep gocryptfs"
    }
  }
}
