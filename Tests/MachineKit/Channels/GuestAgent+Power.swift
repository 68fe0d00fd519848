extension GuestAgent {
  enum PowerDown: String {
    case powerOff = "poweroff"
    case reboot
  }

  /// Asks systemd to shut down, and does not wait for it.
  ///
  /// Not through `guest-shutdown`: that calls `shutdown`, which needs logind to be well.
  func powerDown(_ mode: PowerDown) throws {
    _ = try startCommand("exec systemctl --no-block \(mode.rawValue)", input: nil)
  }
}
