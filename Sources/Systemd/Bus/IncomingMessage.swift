import CSystemd
import Glibc

/// A message from the bus, read argument by argument in its order.
///
/// A reader throws when the next argument is of another type or there is none.
public class IncomingMessage {
  let message: BusMessage
  let endpoint: BusEndpoint

  init(_ message: BusMessage, from endpoint: BusEndpoint) {
    self.message = message
    self.endpoint = endpoint
  }

  /// The unique name of the connection that sent it, filled in by the bus daemon; empty for none.
  public var sender: String { Self.text(sd_bus_message_get_sender(message.raw)) }
  /// The types of all arguments: `ha{sv}`, empty for none.
  public var signature: String { Self.text(sd_bus_message_get_signature(message.raw, 1)) }

  public func readString() throws(BusError) -> String { try message.readString() }
  /// A name, which nobody has of more than 255 bytes: a longer one, which may be of 100 MB, is cut and not copied.
  public func readName() throws(BusError) -> String { try message.readText(BusType.string, limit: 256) }
  public func readStrings() throws(BusError) -> [String] { try message.readStrings() }
  public func readObjectPath() throws(BusError) -> String { try message.readObjectPath() }
  public func readBool() throws(BusError) -> Bool { try message.readBool() }
  public func readUInt32() throws(BusError) -> UInt32 { try message.readUInt32() }
  public func readUInt64() throws(BusError) -> UInt64 { try message.readUInt64() }
  /// A descriptor of the caller's own, close-on-exec.
  public func readDescriptor() throws(BusError) -> OwnedDescriptor { try message.readDescriptor() }
  public func readVariant() throws(BusError) -> BusValue { try message.readVariant() }
  /// An `a{sv}`, such as options. Of two entries with one name the last counts.
  public func readDictionary() throws(BusError) -> [String: BusValue] { try message.readDictionary() }

  /// A header's text; of a path, which may be as long as somebody likes, no more than anybody needs.
  static func text(_ text: UnsafePointer<CChar>?) -> String { text.map { cut($0, limit: 1024) } ?? "" }
}

@available(*, unavailable, message: "sd-bus objects belong to one thread")
extension IncomingMessage: Sendable {}

/// The successful answer to a call of ours.
public final class IncomingReply: IncomingMessage {}

/// A signal from another connection.
///
/// Every process on the system bus can send us a signal with any path and interface: check who its `sender` is.
public final class IncomingSignal: IncomingMessage {
  public var path: String { Self.text(sd_bus_message_get_path(message.raw)) }
  public var interface: String { Self.text(sd_bus_message_get_interface(message.raw)) }
  public var member: String { Self.text(sd_bus_message_get_member(message.raw)) }

  /// Whether it is this signal, from any path and sender.
  public func isSignal(_ interface: String, _ member: String) -> Bool {
    sd_bus_message_is_signal(message.raw, interface, member) > 0
  }
}

/// A C string, cut to at most so many bytes.
func cut(_ text: UnsafePointer<CChar>, limit: Int) -> String {
  String(decoding: UnsafeRawBufferPointer(start: text, count: strnlen(text, limit)), as: UTF8.self)
}
