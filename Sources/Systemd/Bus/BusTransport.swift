import CSystemd
import Glibc

/// A started sd-bus connection: connects, reads message by message, tells what to poll for.
///
/// There are no callbacks: sd-bus hands over every message that nothing inside it has handled, replies included.
final class BusTransport {
  /// Nothing is waited for longer than this unless a caller says so, in microseconds.
  static let callTimeout: UInt64 = 25_000_000

  let raw: OpaquePointer
  /// Whether a bus daemon is at the other end.
  let isBusClient: Bool

  /// Connects to a D-Bus address such as `unix:path=/run/systemd/private`, and waits until the connection is usable.
  ///
  /// - Parameter isBusClient: whether a bus daemon listens there, to be greeted first; systemd's own socket has none.
  init(address: String, isBusClient: Bool) throws(BusError) {
    let operation = "connect to \(address)"
    var created: OpaquePointer?
    try checked(sd_bus_new(&created), operation)
    guard let created else { throw BusError(code: -ENOMEM, operation: operation) }
    raw = created
    self.isBusClient = isBusClient
    try checked(sd_bus_set_address(raw, address), operation)
    try checked(sd_bus_set_bus_client(raw, isBusClient ? 1 : 0), operation)
    try checked(sd_bus_start(raw), operation)
    try waitUntilReady(operation)
  }

  /// Connects to the system bus, wherever the environment says it is.
  init(systemBus operation: String) throws(BusError) {
    var opened: OpaquePointer?
    try checked(sd_bus_open_system(&opened), operation)
    guard let opened else { throw BusError(code: -ENOMEM, operation: operation) }
    raw = opened
    isBusClient = true
    try waitUntilReady(operation)
  }

  deinit { sd_bus_close_unref(raw) }

  var descriptor: Int32 { sd_bus_get_fd(raw) }

  /// The `poll(2)` events to wait for.
  func pollEvents() -> Int16 {
    let events = sd_bus_get_events(raw)
    // A closed connection has none of its own; the hang-up shows for any mask.
    return events < 0 ? Int16(POLLIN) : Int16(truncatingIfNeeded: events)
  }

  /// When sd-bus wants to be called at the latest: `CLOCK_MONOTONIC` microseconds, nil for no limit, 0 for at once.
  func timeoutMicroseconds() -> UInt64? {
    var deadline = UInt64.max
    // A closed connection answers with an error: whoever reads it learns of it at once.
    if sd_bus_get_timeout(raw, &deadline) < 0 { return 0 }
    return deadline == .max ? nil : deadline
  }

  /// The most that sd-bus answers by itself (`Peer.Ping`) in one call: whoever asks for it in a loop is not to keep us there.
  private static let mostAtOnce = 32

  /// The next message, with its reference; nil when there is none without waiting, or sd-bus has dealt with many by itself: then
  /// `pollEvents` and `timeoutMicroseconds` tell of the rest.
  ///
  /// - Throws: `isDisconnected` once the other end is gone.
  func next(_ operation: String) throws(BusError) -> OpaquePointer? {
    for _ in 0..<Self.mostAtOnce {
      var message: OpaquePointer?
      let handled = try checked(sd_bus_process(raw, &message), operation)
      if let message {
        if sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") > 0 {
          sd_bus_message_unref(message)
          throw BusError(code: -ENOTCONN, operation: operation)
        }
        return message
      }
      if handled == 0 { return nil }
    }
    return nil
  }

  /// Waits for something to read or write, until a `CLOCK_MONOTONIC` time in microseconds.
  func wait(until deadline: UInt64, _ operation: String) throws(BusError) {
    let now = monotonicMicroseconds()
    if now >= deadline { throw BusError(code: -ETIMEDOUT, operation: operation) }
    let result = sd_bus_wait(raw, deadline - now)
    if result != -EINTR { try checked(result, operation) }
  }

  /// Whatever arrives before the connection is usable is dropped: nobody has asked for anything yet.
  private func waitUntilReady(_ operation: String) throws(BusError) {
    let deadline = monotonicMicroseconds() + Self.callTimeout
    while try checked(sd_bus_is_ready(raw), operation) == 0 {
      if let received = try next(operation) {
        sd_bus_message_unref(received)
      } else if sd_bus_is_ready(raw) == 0 {
        try wait(until: deadline, operation)
      }
    }
  }
}

/// `CLOCK_MONOTONIC` in microseconds, the clock of sd-bus.
func monotonicMicroseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000
}
