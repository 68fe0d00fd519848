import CLinux
import CSystemd
import Glibc

/// A D-Bus message, to be written or read field by field.
///
/// sd-bus counts references without atomics: a message stays on the thread of its connection.
final class BusMessage {
  let raw: OpaquePointer
  /// For errors: what this message asks or answers.
  let operation: String

  /// Takes over one reference.
  init(owning raw: OpaquePointer, operation: String) {
    self.raw = raw
    self.operation = operation
  }

  deinit { sd_bus_message_unref(raw) }

  // MARK: Writing

  func append(_ string: String) throws(BusError) {
    try checked(sd_bus_message_append_basic(raw, BusType.string, string), operation)
  }

  func append(_ flag: Bool) throws(BusError) {
    // D-Bus booleans are passed as int.
    var value: Int32 = flag ? 1 : 0
    try checked(sd_bus_message_append_basic(raw, BusType.boolean, &value), operation)
  }

  func append(objectPath path: String) throws(BusError) {
    try checked(sd_bus_message_append_basic(raw, BusType.objectPath, path), operation)
  }

  /// A number of the D-Bus type that has this width.
  func append<Number: BitwiseCopyable>(_ number: Number, as type: CChar) throws(BusError) {
    var value = number
    try checked(sd_bus_message_append_basic(raw, type, &value), operation)
  }

  /// sd-bus duplicates the descriptor.
  func append(descriptor: Int32) throws(BusError) { try append(descriptor, as: BusType.descriptor) }

  func append(bytes: [UInt8]) throws(BusError) {
    try checked(sd_bus_message_append_array(raw, BusType.byte, bytes, bytes.count), operation)
  }

  func append(_ strings: [String]) throws(BusError) {
    try container(BusType.array, "s") { () throws(BusError) in
      for string in strings { try append(string) }
    }
  }

  /// Writes a container around what `body` writes; `contents` is the D-Bus signature of the inside.
  func container(_ type: CChar, _ contents: String, _ body: () throws(BusError) -> Void) throws(BusError) {
    try checked(sd_bus_message_open_container(raw, type, contents), operation)
    try body()
    try checked(sd_bus_message_close_container(raw), operation)
  }

  // MARK: Reading

  func readString() throws(BusError) -> String { try readText(BusType.string) }

  func readObjectPath() throws(BusError) -> String { try readText(BusType.objectPath) }

  func readBool() throws(BusError) -> Bool { try readNumber(BusType.boolean, Int32(0)) != 0 }

  func readInt32() throws(BusError) -> Int32 { try readNumber(BusType.int32, 0) }

  func readUInt32() throws(BusError) -> UInt32 { try readNumber(BusType.uint32, 0) }

  func readInt64() throws(BusError) -> Int64 { try readNumber(BusType.int64, 0) }

  func readUInt64() throws(BusError) -> UInt64 { try readNumber(BusType.uint64, 0) }

  func readDouble() throws(BusError) -> Double { try readNumber(BusType.double, 0) }

  /// A descriptor of the caller's own: the message's is closed with the message.
  func readDescriptor() throws(BusError) -> OwnedDescriptor {
    let descriptor = try readNumber(BusType.descriptor, Int32(-1))
    let duplicate = mb_fcntl_int(descriptor, F_DUPFD_CLOEXEC, 3)
    guard duplicate >= 0 else { throw BusError(code: -errno, operation: operation) }
    return OwnedDescriptor(owning: duplicate)
  }

  func readBytes() throws(BusError) -> [UInt8] {
    var start: UnsafeRawPointer?
    var count = 0
    try checked(sd_bus_message_read_array(raw, BusType.byte, &start, &count), operation)
    return Array(UnsafeRawBufferPointer(start: start, count: count))
  }

  func readStrings() throws(BusError) -> [String] {
    var strings: [String] = []
    try enter(BusType.array, "s")
    while try !isAtEnd() { strings.append(try readString()) }
    try exit()
    return strings
  }

  /// Enters a container; false at the end of the array around it.
  @discardableResult
  func enter(_ type: CChar, _ contents: String) throws(BusError) -> Bool {
    try checked(sd_bus_message_enter_container(raw, type, contents), operation) > 0
  }

  func exit() throws(BusError) { try checked(sd_bus_message_exit_container(raw), operation) }

  func skip(_ signature: String) throws(BusError) { try checked(sd_bus_message_skip(raw, signature), operation) }

  /// Whether the current container holds nothing more.
  func isAtEnd() throws(BusError) -> Bool { try checked(sd_bus_message_at_end(raw, 0), operation) > 0 }

  /// The signature of the value inside the variant that comes next.
  func variantSignature() throws(BusError) -> String {
    var contents: UnsafePointer<CChar>?
    try checked(sd_bus_message_peek_type(raw, nil, &contents), operation)
    return contents.map { String(cString: $0) } ?? ""
  }

  /// - Parameter limit: bytes that are read at most; nil: all.
  func readText(_ type: CChar, limit: Int? = nil) throws(BusError) -> String {
    var text: UnsafePointer<CChar>?
    try expectValue(sd_bus_message_read_basic(raw, type, &text))
    guard let text else { return "" }
    return limit.map { cut(text, limit: $0) } ?? String(cString: text)
  }

  private func readNumber<Number: BitwiseCopyable>(_ type: CChar, _ initial: Number) throws(BusError) -> Number {
    var number = initial
    try expectValue(sd_bus_message_read_basic(raw, type, &number))
    return number
  }

  /// sd-bus answers 0, not an error, for a read past the end of an array.
  private func expectValue(_ result: Int32) throws(BusError) {
    if try checked(result, operation) == 0 { throw BusError(code: -EBADMSG, operation: operation) }
  }
}

/// The type codes of the D-Bus specification that are used here.
enum BusType {
  static let byte = CChar(UInt8(ascii: "y"))
  static let boolean = CChar(UInt8(ascii: "b"))
  static let int32 = CChar(UInt8(ascii: "i"))
  static let uint32 = CChar(UInt8(ascii: "u"))
  static let int64 = CChar(UInt8(ascii: "x"))
  static let uint64 = CChar(UInt8(ascii: "t"))
  static let double = CChar(UInt8(ascii: "d"))
  static let descriptor = CChar(UInt8(ascii: "h"))
  static let string = CChar(UInt8(ascii: "s"))
  static let objectPath = CChar(UInt8(ascii: "o"))
  static let array = CChar(UInt8(ascii: "a"))
  static let variant = CChar(UInt8(ascii: "v"))
  static let structure = CChar(UInt8(ascii: "r"))
  static let dictionaryEntry = CChar(UInt8(ascii: "e"))
}
