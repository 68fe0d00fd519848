extension SystemdManager {
  /// Has systemd read its unit files anew (`daemon-reload`), and waits until it has. What runs goes on.
  public func reload() throws(BusError) {
    _ = try connection.call(connection.newCall(member: "Reload"))
  }
}
