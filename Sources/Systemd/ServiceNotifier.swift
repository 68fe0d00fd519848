import CLinux
import CSystemd
import Glibc

/// Tells systemd how this service is: the protocol of sd_notify(3).
///
/// Made once at start, by `takeFromEnvironment`: what systemd has left in the environment is taken out of it, so that no child
/// ever speaks for us. Messages are best effort, as everywhere: systemd itself notices who does not report.
public final class ServiceNotifier {
  private let descriptor: Int32
  private let address: UnixAddress
  /// How long systemd waits between two `keepAlive` before it ends the service, microseconds; nil: it does not watch. Send at half
  /// the interval.
  public let watchdogMicroseconds: UInt64?

  /// Nil when nobody wants to be told: not started by systemd, or `NotifyAccess=none`.
  ///
  /// Not to be called while another thread looks at the environment.
  public static func takeFromEnvironment() -> ServiceNotifier? {
    let name = getenv("NOTIFY_SOCKET").map { String(cString: $0) }
    unsetenv("NOTIFY_SOCKET")
    var interval: UInt64 = 0
    let watched = sd_watchdog_enabled(1, &interval) > 0
    guard let name else { return nil }
    return ServiceNotifier(socket: name, watchdogMicroseconds: watched ? interval : nil)
  }

  init?(socket name: String, watchdogMicroseconds: UInt64?) {
    guard let address = UnixAddress(name) else { return nil }
    descriptor = mb_unix_datagram_socket()
    guard descriptor >= 0 else { return nil }
    self.address = address
    self.watchdogMicroseconds = watchdogMicroseconds
  }

  deinit { close(descriptor) }

  /// The start is complete (`Type=notify` waits for it), or a reload is.
  @discardableResult
  public func ready(status: String? = nil) -> Bool { send(["READY=1"], status) }

  /// What `systemctl status` shows behind `Status:`; one line.
  @discardableResult
  public func status(_ text: String) -> Bool { send([], text) }

  /// The configuration is being read anew; `ready` ends it.
  @discardableResult
  public func reloading(status: String? = nil) -> Bool {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return send(["RELOADING=1", "MONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)"], status)
  }

  @discardableResult
  public func stopping(status: String? = nil) -> Bool { send(["STOPPING=1"], status) }

  /// Still alive: to be sent at half of `watchdogMicroseconds`.
  @discardableResult
  public func keepAlive() -> Bool { send(["WATCHDOG=1"], nil) }

  /// Whether it was taken: false when the socket is gone or full. Never waits.
  private func send(_ assignments: [String], _ status: String?) -> Bool {
    // A line end in the status would begin another assignment.
    let status = status.map { "STATUS=" + $0.split(whereSeparator: \.isNewline).joined(separator: " ") }
    let message = Array((assignments + (status.map { [$0] } ?? [])).joined(separator: "\n").utf8)
    while true {
      let sent = message.withUnsafeBytes { bytes in
        address.withPointer { sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), $0, $1) }
      }
      if sent >= 0 || errno != EINTR { return sent == message.count }
    }
  }
}
