import CSystemd
import Glibc

/// One sd-bus connection to systemd: sends calls, waits for their replies, and keeps the signals that came meanwhile.
///
/// There are no callbacks: sd-bus hands over every message that nothing inside it has handled, replies included.
final class BusConnection {
  /// No method call is waited for longer than this, in microseconds.
  static let callTimeout: UInt64 = 25_000_000

  private let bus: OpaquePointer
  /// Whether a bus daemon is between us and systemd.
  let isBusClient: Bool
  /// Signals that arrived and were not taken yet, oldest first.
  private var signals: [BusMessage] = []

  /// Connects to a D-Bus address such as `unix:path=/run/systemd/private`, and waits until the connection is usable.
  ///
  /// - Parameter isBusClient: whether a bus daemon listens there, to be greeted first; systemd's own socket has none.
  init(address: String, isBusClient: Bool) throws(BusError) {
    let operation = "connect to \(address)"
    var created: OpaquePointer?
    try checked(sd_bus_new(&created), operation)
    guard let created else { throw BusError(code: -ENOMEM, operation: operation) }
    bus = created
    self.isBusClient = isBusClient
    try checked(sd_bus_set_address(bus, address), operation)
    try checked(sd_bus_set_bus_client(bus, isBusClient ? 1 : 0), operation)
    try checked(sd_bus_start(bus), operation)
    try waitUntilReady(operation)
  }

  /// Connects to the system bus, wherever the environment says it is.
  init(systemBus operation: String) throws(BusError) {
    var opened: OpaquePointer?
    try checked(sd_bus_open_system(&opened), operation)
    guard let opened else { throw BusError(code: -ENOMEM, operation: operation) }
    bus = opened
    isBusClient = true
    try waitUntilReady(operation)
  }

  deinit { sd_bus_close_unref(bus) }

  var descriptor: Int32 { sd_bus_get_fd(bus) }

  /// The `poll(2)` events to wait for.
  func pollEvents() -> Int16 {
    let events = sd_bus_get_events(bus)
    // A closed connection has none of its own; the hang-up shows for any mask.
    return events < 0 ? Int16(POLLIN) : Int16(truncatingIfNeeded: events)
  }

  /// When to call `process` at the latest: `CLOCK_MONOTONIC` microseconds, nil for no limit, 0 for at once.
  func timeoutMicroseconds() -> UInt64? {
    if !signals.isEmpty { return 0 }
    var deadline = UInt64.max
    return sd_bus_get_timeout(bus, &deadline) < 0 || deadline == .max ? nil : deadline
  }

  // MARK: Calls

  /// A call to systemd's object at `path`, to be filled with arguments.
  func newCall(
    path: String = "/org/freedesktop/systemd1", interface: String = "org.freedesktop.systemd1.Manager",
    member: String, subject: String = ""
  ) throws(BusError) -> BusMessage {
    let operation = subject.isEmpty ? member : "\(member) \(subject)"
    var message: OpaquePointer?
    try checked(
      sd_bus_message_new_method_call(bus, &message, "org.freedesktop.systemd1", path, interface, member), operation)
    guard let message else { throw BusError(code: -ENOMEM, operation: operation) }
    return BusMessage(owning: message, operation: operation)
  }

  /// Sends a call and waits for its reply.
  func call(_ message: BusMessage) throws(BusError) -> BusMessage {
    try call([message])[0].get()
  }

  /// Sends all calls at once and waits for all replies, in the order of the calls.
  ///
  /// An error reply is a value here: it concerns one call. Throws when the connection fails or the time is up.
  func call(_ messages: [BusMessage]) throws(BusError) -> [Result<BusMessage, BusError>] {
    var waiting: [UInt64: Int] = [:]
    var replies: [Result<BusMessage, BusError>?] = Array(repeating: nil, count: messages.count)
    for (index, message) in messages.enumerated() {
      var cookie: UInt64 = 0
      try checked(sd_bus_send(bus, message.raw, &cookie), message.operation)
      waiting[cookie] = index
    }
    let operation = messages.first?.operation ?? ""
    let deadline = monotonicMicroseconds() + Self.callTimeout
    while !waiting.isEmpty {
      guard let received = try next(operation) else {
        try wait(until: deadline, operation)
        continue
      }
      var cookie: UInt64 = 0
      if sd_bus_message_get_reply_cookie(received, &cookie) >= 0, let index = waiting.removeValue(forKey: cookie) {
        let reply = BusMessage(owning: received, operation: messages[index].operation)
        replies[index] = reply.remoteError().map { .failure($0) } ?? .success(reply)
      } else {
        keepIfSignal(received)
      }
    }
    return replies.compactMap { $0 }
  }

  // MARK: Signals

  /// Asks the bus daemon for a signal of systemd's manager and systemd to send signals at all.
  ///
  /// systemd's own socket needs neither: there it sends every signal to every connection.
  func subscribe(to member: String) throws(BusError) {
    guard isBusClient else { return }
    let rule =
      "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',"
      + "interface='org.freedesktop.systemd1.Manager',member='\(member)'"
    try checked(sd_bus_add_match(bus, nil, rule, nil, nil), "AddMatch \(member)")
    _ = try call(newCall(member: "Subscribe"))
  }

  /// Reads what has arrived, without waiting, and hands over all signals since the last time, oldest first.
  func takeSignals() throws(BusError) -> [BusMessage] {
    while let received = try next("read from systemd") { keepIfSignal(received) }
    defer { signals = [] }
    return signals
  }

  private func keepIfSignal(_ received: OpaquePointer) {
    let message = BusMessage(owning: received, operation: "signal")
    // On its own socket systemd sends a signal for each change of each unit: keep only what is read later.
    if message.isSignal("JobRemoved") { signals.append(message) }
  }

  // MARK: The connection itself

  /// The next message, with its reference; nil when there is none without waiting.
  private func next(_ operation: String) throws(BusError) -> OpaquePointer? {
    while true {
      var message: OpaquePointer?
      let handled = try checked(sd_bus_process(bus, &message), operation)
      if let message {
        if sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") > 0 {
          sd_bus_message_unref(message)
          throw BusError(code: -ENOTCONN, operation: operation)
        }
        return message
      }
      if handled == 0 { return nil }
    }
  }

  private func wait(until deadline: UInt64, _ operation: String) throws(BusError) {
    let now = monotonicMicroseconds()
    if now >= deadline { throw BusError(code: -ETIMEDOUT, operation: operation) }
    let result = sd_bus_wait(bus, deadline - now)
    if result != -EINTR { try checked(result, operation) }
  }

  private func waitUntilReady(_ operation: String) throws(BusError) {
    let deadline = monotonicMicroseconds() + Self.callTimeout
    while try checked(sd_bus_is_ready(bus), operation) == 0 {
      if let received = try next(operation) {
        keepIfSignal(received)
      } else if sd_bus_is_ready(bus) == 0 {
        try wait(until: deadline, operation)
      }
    }
  }
}

extension BusMessage {
  /// Whether it is the given signal of systemd's manager.
  func isSignal(_ member: String) -> Bool {
    sd_bus_message_is_signal(raw, "org.freedesktop.systemd1.Manager", member) > 0
  }

  /// The error a reply carries.
  func remoteError() -> BusError? {
    guard sd_bus_message_is_method_error(raw, nil) > 0, let error = sd_bus_message_get_error(raw) else { return nil }
    return BusError(
      name: error.pointee.name.map { String(cString: $0) } ?? "",
      message: error.pointee.message.map { String(cString: $0) } ?? "",
      errno: sd_bus_message_get_errno(raw), operation: operation)
  }
}

/// `CLOCK_MONOTONIC` in microseconds, the clock of sd-bus.
func monotonicMicroseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000
}
