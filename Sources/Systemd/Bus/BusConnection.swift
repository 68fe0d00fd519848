import CSystemd
import Glibc

/// One connection to systemd: sends calls, waits for their replies, and keeps the signals that came meanwhile.
final class BusConnection {
  private let transport: BusTransport
  private static let mostAtOnce = 1024
  /// Signals that arrived and were not taken yet, oldest first.
  private var signals: [BusMessage] = []

  init(_ transport: BusTransport) { self.transport = transport }

  /// Whether a bus daemon is between us and systemd.
  var isBusClient: Bool { transport.isBusClient }

  var descriptor: Int32 { transport.descriptor }

  /// The `poll(2)` events to wait for.
  func pollEvents() -> Int16 { transport.pollEvents() }

  /// When to call `process` at the latest: `CLOCK_MONOTONIC` microseconds, nil for no limit, 0 for at once.
  func timeoutMicroseconds() -> UInt64? { signals.isEmpty ? transport.timeoutMicroseconds() : 0 }

  // MARK: Calls

  /// A call to systemd's object at `path`, to be filled with arguments.
  func newCall(
    path: String = "/org/freedesktop/systemd1", interface: String = "org.freedesktop.systemd1.Manager",
    member: String, subject: String = ""
  ) throws(BusError) -> BusMessage {
    let operation = subject.isEmpty ? member : "\(member) \(subject)"
    var message: OpaquePointer?
    try checked(
      sd_bus_message_new_method_call(transport.raw, &message, "org.freedesktop.systemd1", path, interface, member),
      operation)
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
      try checked(sd_bus_send(transport.raw, message.raw, &cookie), message.operation)
      waiting[cookie] = index
    }
    let operation = messages.first?.operation ?? ""
    let deadline = monotonicMicroseconds() + BusTransport.callTimeout
    while !waiting.isEmpty {
      guard let received = try transport.next(operation) else {
        try transport.wait(until: deadline, operation)
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
    try checked(sd_bus_add_match(transport.raw, nil, rule, nil, nil), "AddMatch \(member)")
    _ = try call(newCall(member: "Subscribe"))
  }

  /// Reads what has arrived, without waiting, and hands over all signals since the last time, oldest first.
  func takeSignals() throws(BusError) -> [BusMessage] {
    // Over the bus anybody may send us some without end.
    for _ in 0..<Self.mostAtOnce {
      guard let received = try transport.next("read from systemd") else { break }
      keepIfSignal(received)
    }
    defer { signals = [] }
    return signals
  }

  private func keepIfSignal(_ received: OpaquePointer) {
    let message = BusMessage(owning: received, operation: "signal")
    // On its own socket systemd sends a signal for each change of each unit: keep only what is read later.
    if message.isSignal("JobRemoved") { signals.append(message) }
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
