import CSystemd
import Glibc

/// A connection to a bus daemon that can be called: owns names, answers calls, emits and receives signals.
///
/// Belongs to one thread. In a `poll(2)` loop: wait for `pollEvents()` on `descriptor` until `timeoutMicroseconds()`, then
/// take messages from `nextMessage()` until it returns nil. Descriptors can be passed both ways.
///
/// After an `isDisconnected` error the endpoint is of no more use: let go of it, and of all it handed out.
public final class BusEndpoint {
  /// A call that was sent and whose reply comes later.
  public struct Cookie: Hashable, Sendable {
    let rawValue: UInt64
  }

  public enum Message {
    /// Somebody calls us. Answer it once; one that is dropped is answered with an error.
    case call(IncomingCall)
    /// A signal that a match rule asked for, or one sent just to us: anybody can send one, so look at its `sender`.
    case signal(IncomingSignal)
    /// The answer to `send`. A failure is the other side's error, or `isTimeout`.
    case reply(Cookie, Result<IncomingReply, BusError>)
  }

  let transport: BusTransport
  /// The calls of ours that have no reply yet: when each is given up, in `CLOCK_MONOTONIC` microseconds, and what it asks.
  private var pending: [UInt64: (deadline: UInt64, operation: String)] = [:]

  /// What arrived while something was to be sent, oldest first.
  private var arrived: [Message] = []
  private static let mostPassedOver = 32

  /// Connects to the system bus, wherever the environment says it is.
  ///
  /// - Throws: a `BusError` with `isNoBus` when it cannot be reached.
  public convenience init() throws(BusError) {
    let operation = "connect to the system bus"
    try self.init(operation) { () throws(BusError) in try BusTransport(systemBus: operation) }
  }

  /// Connects to a bus daemon at a D-Bus address, such as `unix:path=/run/dbus/system_bus_socket`.
  ///
  /// - Throws: a `BusError` with `isNoBus` when it cannot be reached.
  public convenience init(address: String) throws(BusError) {
    try self.init("connect to \(address)") { () throws(BusError) in
      try BusTransport(address: address, isBusClient: true)
    }
  }

  private init(_ operation: String, _ connect: () throws(BusError) -> BusTransport) throws(BusError) {
    do {
      transport = try connect()
    } catch {
      throw BusError(message: error.message, errno: error.errno, operation: error.operation, isNoBus: true)
    }
    if try checked(sd_bus_can_send(transport.raw, BusType.descriptor), operation) == 0 {
      throw BusError(message: "the bus passes no file descriptors", errno: EOPNOTSUPP, operation: operation)
    }
  }

  // MARK: The poll loop

  /// For `poll(2)`. Valid as long as the endpoint.
  public var descriptor: Int32 { transport.descriptor }

  /// The `poll(2)` events to wait for; ask before each wait.
  public func pollEvents() -> Int16 { transport.pollEvents() }

  /// When to call `nextMessage()` even if nothing happens on `descriptor`: absolute `CLOCK_MONOTONIC` microseconds, nil for
  /// no limit. 0 means at once: a message has been read already, so `poll(2)` alone would not tell.
  public func timeoutMicroseconds() -> UInt64? {
    if !arrived.isEmpty { return 0 }
    return [transport.timeoutMicroseconds(), pending.values.map(\.deadline).min()].compactMap { $0 }.min()
  }

  /// Whether something is still to be sent that the daemon has not taken.
  public var hasBacklog: Bool { pollEvents() & Int16(POLLOUT) != 0 }

  /// The next message, without waiting; nil when there is none, or none of interest among many. Also sends what could not be sent at once.
  ///
  /// - Throws: `isDisconnected` once the bus daemon is gone.
  public func nextMessage() throws(BusError) -> Message? {
    if !arrived.isEmpty { return arrived.removeFirst() }
    // What concerns nobody may come without end, too.
    for _ in 0..<Self.mostPassedOver {
      guard let received = try transport.next("read from the bus") else { break }
      if let message = decode(received) { return message }
    }
    let now = monotonicMicroseconds()
    guard let (cookie, call) = pending.first(where: { $0.value.deadline <= now }) else { return nil }
    pending[cookie] = nil
    return .reply(Cookie(rawValue: cookie), .failure(BusError(code: -ETIMEDOUT, operation: call.operation)))
  }

  /// Waits until everything is sent, as before the end of the process; 25 s at most. What arrives stays for
  /// `nextMessage()`.
  public func flush() throws(BusError) {
    let deadline = monotonicMicroseconds() + BusTransport.callTimeout
    while pollEvents() & Int16(POLLOUT) != 0 {
      if let received = try transport.next("send what is left") {
        if let message = decode(received) { arrived.append(message) }
      } else if pollEvents() & Int16(POLLOUT) != 0 {
        try transport.wait(until: deadline, "send what is left")
      }
    }
  }

  /// The message as it is handed out; nil for one that concerns nobody, such as a reply that comes too late.
  private func decode(_ received: OpaquePointer) -> Message? {
    var cookie: UInt64 = 0
    if sd_bus_message_get_reply_cookie(received, &cookie) >= 0 {
      guard let call = pending.removeValue(forKey: cookie) else {
        sd_bus_message_unref(received)
        return nil
      }
      let reply = BusMessage(owning: received, operation: call.operation)
      return .reply(
        Cookie(rawValue: cookie),
        reply.remoteError().map { .failure($0) } ?? .success(IncomingReply(reply, from: self)))
    }
    let message = BusMessage(owning: received, operation: "read a message")
    if sd_bus_message_is_method_call(received, nil, nil) > 0 { return .call(IncomingCall(message, from: self)) }
    if sd_bus_message_is_signal(received, nil, nil) > 0 { return .signal(IncomingSignal(message, from: self)) }
    return nil
  }

  /// Sends a call and remembers that its reply is to be handed out.
  func sendExpectingReply(_ call: BusMessage, timeoutMicroseconds: UInt64) throws(BusError) -> Cookie {
    var cookie: UInt64 = 0
    try checked(sd_bus_send(transport.raw, call.raw, &cookie), call.operation)
    let (deadline, isBeyond) = monotonicMicroseconds().addingReportingOverflow(timeoutMicroseconds)
    pending[cookie] = (isBeyond ? .max : deadline, call.operation)
    return Cookie(rawValue: cookie)
  }
}

@available(*, unavailable, message: "sd-bus objects belong to one thread")
extension BusEndpoint: Sendable {}
