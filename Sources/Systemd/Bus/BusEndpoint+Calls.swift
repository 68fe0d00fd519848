import CSystemd
import Glibc

extension BusEndpoint {
  /// How long a call is waited for unless its caller says otherwise, in microseconds.
  public static let defaultCallTimeout = BusTransport.callTimeout

  /// Calls a method and waits for its reply. Messages that arrive meanwhile stay for `nextMessage()`.
  ///
  /// - Parameter timeoutMicroseconds: more than 0.
  /// - Throws: the other side's error, or `isTimeout`.
  public func call(
    _ destination: String, _ path: String, _ interface: String, _ member: String, _ arguments: [BusArgument] = [],
    timeoutMicroseconds: UInt64 = BusEndpoint.defaultCallTimeout
  ) throws(BusError) -> IncomingReply {
    let message = try newCall(destination, path, interface, member, arguments)
    var error = sd_bus_error()
    defer { sd_bus_error_free(&error) }
    var reply: OpaquePointer?
    let result = sd_bus_call(transport.raw, message.raw, timeoutMicroseconds, &error, &reply)
    if result < 0 {
      // sd-bus also names its own failures.
      guard sd_bus_error_is_set(&error) > 0, result != -ETIMEDOUT, result != -ENOTCONN, result != -ECONNRESET else {
        throw BusError(code: result, operation: message.operation)
      }
      throw BusError(error, errno: -result, operation: message.operation)
    }
    guard let reply else { throw BusError(code: -EBADMSG, operation: message.operation) }
    return IncomingReply(BusMessage(owning: reply, operation: message.operation), from: self)
  }

  /// Calls a method without waiting: the reply comes from `nextMessage()`, exactly once, unless the connection breaks.
  ///
  /// - Parameter timeoutMicroseconds: after this time the call is given up, with an `isTimeout` failure; `.max` for never.
  public func send(
    _ destination: String, _ path: String, _ interface: String, _ member: String, _ arguments: [BusArgument] = [],
    timeoutMicroseconds: UInt64 = BusEndpoint.defaultCallTimeout
  ) throws(BusError) -> Cookie {
    try sendExpectingReply(
      newCall(destination, path, interface, member, arguments), timeoutMicroseconds: timeoutMicroseconds)
  }

  private func newCall(
    _ destination: String, _ path: String, _ interface: String, _ member: String, _ arguments: [BusArgument]
  ) throws(BusError) -> BusMessage {
    let operation = "\(interface).\(member)"
    var created: OpaquePointer?
    try checked(
      sd_bus_message_new_method_call(transport.raw, &created, destination, path, interface, member), operation)
    guard let created else { throw BusError(code: -ENOMEM, operation: operation) }
    let message = BusMessage(owning: created, operation: operation)
    try message.append(arguments)
    return message
  }

  // MARK: Signals

  /// Emits a signal to everybody who asked for it, or to one connection.
  public func emit(
    _ path: String, _ interface: String, _ member: String, _ arguments: [BusArgument], to destination: String? = nil
  ) throws(BusError) {
    let operation = "emit \(interface).\(member)"
    var created: OpaquePointer?
    try checked(sd_bus_message_new_signal(transport.raw, &created, path, interface, member), operation)
    guard let created else { throw BusError(code: -ENOMEM, operation: operation) }
    let message = BusMessage(owning: created, operation: operation)
    if let destination { try checked(sd_bus_message_set_destination(created, destination), operation) }
    try message.append(arguments)
    try checked(sd_bus_send(transport.raw, created, nil), operation)
  }

  /// Emits `org.freedesktop.DBus.Properties.PropertiesChanged`.
  ///
  /// - Parameter invalidated: properties that have changed without their new value being sent.
  public func emitPropertiesChanged(
    _ path: String, interface: String, _ changed: [String: BusValue], invalidated: [String] = []
  ) throws(BusError) {
    try emit(
      path, "org.freedesktop.DBus.Properties", "PropertiesChanged",
      [.string(interface), .dictionary(changed), .value(.strings(invalidated))])
  }
}

extension BusError {
  init(_ error: sd_bus_error, errno: Int32, operation: String) {
    self.init(
      name: error.name.map { String(cString: $0) } ?? "", message: error.message.map { String(cString: $0) } ?? "",
      errno: errno, operation: operation)
  }
}
