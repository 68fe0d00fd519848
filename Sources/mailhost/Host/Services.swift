import Linux
import MailHost

/// The units of the mail services, through systemctl.
struct Services {
  let redisName: String

  private static let systemctl = "/usr/bin/systemctl"

  /// Whether systemd runs here: not in a chroot, where an image is being made.
  static var isThere: Bool { fileStatus("/run/systemd/system") != nil }

  func unit(_ reader: HostFile.Reader) -> String? {
    switch reader {
    case .postfix, .dovecot, .rspamd, .fail2ban: reader.rawValue
    case .redis: "\(redisName)-server"
    case .mailboot, .nobody: nil
    }
  }

  func isActive(_ unit: String) throws(HostFailure) -> Bool {
    try run([Self.systemctl, "is-active", "--quiet", unit], seconds: 30).status == 0
  }

  func reloadManager() throws(HostFailure) { try succeed([Self.systemctl, "daemon-reload"]) }

  func stop(_ reader: HostFile.Reader) throws(HostFailure) {
    if let unit = unit(reader) { try succeed([Self.systemctl, "stop", unit], seconds: 150) }
  }

  func enable(_ unit: String) throws(HostFailure) { try succeed([Self.systemctl, "enable", "--quiet", unit]) }

  /// Lets a daemon that runs read its files again.
  /// - Parameters:
  ///   - anew: whether a reload does not reach what has changed.
  ///   - evenIfDown: whether it is to run afterwards, too, where it does not.
  func tell(_ reader: HostFile.Reader, anew: Bool, evenIfDown: Bool = false) throws(HostFailure) {
    guard let unit = unit(reader) else { return }
    let isUp = try isActive(unit)
    guard isUp || evenIfDown else { return }
    // Redis reads its file at its start only.
    let verb = anew || reader == .redis || !isUp ? "restart" : "reload"
    // However often it was started meanwhile.
    _ = try run([Self.systemctl, "reset-failed", unit])
    let told = try run([Self.systemctl, verb, unit], seconds: 150)
    let isBack = try isActive(unit)
    if told.status != 0 || !isBack {
      // After an upgrade the running daemon can belong to a unit that is not there any more (Debian 12's postfix@-).
      _ = try run([Self.systemctl, "stop", unit] + (reader == .postfix ? ["postfix@-.service"] : []), seconds: 150)
      _ = try run([Self.systemctl, "reset-failed", unit])
      try succeed([Self.systemctl, "start", unit], seconds: 150, hint: "see `journalctl -u \(unit) -e`")
    }
    guard try isActive(unit) else {
      let journal = try run(["/usr/bin/journalctl", "--no-pager", "-n", "8", "-o", "cat", "-u", unit])
      throw HostFailure(
        .failed, "\(unit) did not come back after its \(verb)", evidence: journal.evidence,
        hint: "see `journalctl -u \(unit) -e`")
    }
  }
}
