import CSystemd
import Glibc

/// A method call from another connection, to be answered once: now or later, after other messages.
///
/// A call that is dropped unanswered is answered with `org.freedesktop.DBus.Error.Failed`: nobody waits in vain.
public final class IncomingCall: IncomingMessage {
  private var isAnswered = false

  public var path: String { Self.text(sd_bus_message_get_path(message.raw)) }
  /// Empty when the caller names none.
  public var interface: String { Self.text(sd_bus_message_get_interface(message.raw)) }
  public var member: String { Self.text(sd_bus_message_get_member(message.raw)) }
  /// Whether the caller wants to know: otherwise answering sends nothing.
  public var expectsReply: Bool { sd_bus_message_get_expect_reply(message.raw) > 0 }

  deinit {
    guard !isAnswered else { return }
    // The only thing that can fail is the connection, and then nobody waits any more.
    try? replyError(BusErrorName.failed, "\(member) was not answered")
  }

  /// Who calls. Asks the bus daemon; throws `isNoOwner` when the caller is gone.
  public func peer() throws(BusError) -> BusPeer { try endpoint.peer(of: sender) }

  /// Answers.
  public func reply(_ arguments: BusArgument...) throws(BusError) {
    try answer("reply to \(member)", arguments) { sd_bus_message_new_method_return(message.raw, &$0) }
  }

  /// Answers with an error.
  ///
  /// - Parameters:
  ///   - name: a D-Bus error name, such as `org.mailboot1.Error.Busy`.
  ///   - text: for a person.
  public func replyError(_ name: String, _ text: String) throws(BusError) {
    var error = sd_bus_error()
    defer { sd_bus_error_free(&error) }
    // Its result is the `errno` that belongs to the name, not a failure.
    _ = sd_bus_error_set(&error, name, text)
    try answer("reply to \(member)", []) { sd_bus_message_new_method_error(message.raw, &$0, &error) }
  }

  private func answer(
    _ operation: String, _ arguments: [BusArgument], _ create: (inout OpaquePointer?) -> Int32
  ) throws(BusError) {
    if isAnswered { throw BusError(code: -EALREADY, operation: operation) }
    guard expectsReply else {
      isAnswered = true
      return
    }
    var created: OpaquePointer?
    try checked(create(&created), operation)
    guard let created else { throw BusError(code: -ENOMEM, operation: operation) }
    let reply = BusMessage(owning: created, operation: operation)
    try reply.append(arguments)
    try checked(sd_bus_send(endpoint.transport.raw, created, nil), operation)
    isAnswered = true
  }
}
