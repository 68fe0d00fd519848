/// The drop-in that keeps a unit from running while the vault is not mounted, see systemd.unit(5).
public enum GuardDropIn {
  /// In `UNIT.d/` below systemd's configuration. Numbered so that a drop-in of the administrator's own can still have the last word.
  public static let fileName = "50-mailboot-guard.conf"

  /// The first line of each file of ours; a file without it belongs to somebody else.
  public static let marker = "# Made by mailboot: see `mailboot guard status`; `mailboot guard remove` takes it away."

  private static let assertion = "AssertPathIsMountPoint="

  /// Made by a run before its first service, when the checks of the vault itself have passed; gone before the unmount.
  public static let verifiedPath = "/run/mailboot/verified"

  /// Made by a run when a door may be started: held, or with all else proven.
  public static let verifiedDoorPath = "/run/mailboot/verified-door"

  /// The whole file.
  ///
  /// Measured on systemd 252 and 257: the assertion makes a start fail within a second while the vault is locked. `BindsTo=` would
  /// wait 90 s for the device instead, and mount the vault by itself. `StopPropagatedFrom=` stops the unit both when the mount unit is
  /// stopped and when the mount goes away by a plain umount, asks nothing at a start, and does not mind a mount unit that exists only
  /// while it is mounted.
  ///
  /// Mounted is not verified: between the mount and the checks the boot's own jobs, a timer or an upgrade would open the door over a
  /// broken database, or without a filter. Hence the second assertion.
  ///
  /// - Parameters:
  ///   - mounts: the mount points that the unit needs, absolute, the first vault's in front, with their units, such as `vault.mount`.
  ///   - isDoor: whether the unit takes mail from the world.
  /// - Returns: nil for a path that a unit file cannot hold.
  public static func text(mounts: [(path: String, unit: String)], isDoor: Bool) -> String? {
    var lines = [marker, "[Unit]"]
    for (mount, _) in mounts {
      guard mount.hasPrefix("/"), !mount.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }),
        mount.last != "\\", mount.last != " "
      else { return nil }
      // A percent sign would begin one of systemd's specifiers.
      lines.append(assertion + mount.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%"))
    }
    lines.append("AssertPathExists=\(isDoor ? verifiedDoorPath : verifiedPath)")
    for (_, unit) in mounts { lines += ["After=\(unit)", "StopPropagatedFrom=\(unit)"] }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Whether a file with this text is ours to replace and remove.
  public static func isOurs(_ text: String) -> Bool { text.hasPrefix(marker + "\n") }

  /// The mount points a file of ours was made for.
  public static func mounts(in text: String) -> [String] {
    guard isOurs(text) else { return [] }
    return text.split(separator: "\n").filter { $0.hasPrefix(assertion) }.map { line in
      var path = ""
      var rest = line.dropFirst(assertion.count)
      while let character = rest.popFirst() {
        path.append(character)
        if character == "%", rest.first == "%" { rest.removeFirst() }
      }
      return path
    }
  }
}
