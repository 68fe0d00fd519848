import MachineKit

extension Release {
  /// For cases that depend on what the release ships: systemd, cryptsetup, postfix, dovecot.
  public static let both: [Release] = [.debian12, .debian13]
}
