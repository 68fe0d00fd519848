/// A value of a D-Bus property or option, of the types that occur here.
public enum BusValue: Sendable, Equatable {
  case string(String)
  case strings([String])
  case objectPath(String)
  case bool(Bool)
  case int32(Int32)
  case uint32(UInt32)
  case int64(Int64)
  case uint64(UInt64)
  case double(Double)
  case bytes([UInt8])
  /// A number and an object's path, `(uo)`: how systemd names the job of a unit.
  case numberedPath(UInt32, String)
  /// The commands of a service. They cannot be sent.
  case commands([UnitCommand])
  /// The conditions of a unit. They cannot be sent.
  case conditions([UnitCondition])
  /// A value of another type, which was not read: only its D-Bus signature is known. It cannot be sent.
  case other(signature: String)

  /// The text of a string or object path.
  public var string: String? {
    switch self {
    case .string(let value), .objectPath(let value): value
    default: nil
    }
  }
  public var strings: [String]? { if case .strings(let value) = self { value } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var bytes: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }
  public var commands: [UnitCommand]? { if case .commands(let value) = self { value } else { nil } }
  public var conditions: [UnitCondition]? { if case .conditions(let value) = self { value } else { nil } }
  public var double: Double? { if case .double(let value) = self { value } else { nil } }

  /// An integer of any width, without its type; of a numbered path the number.
  public var number: Int128? {
    switch self {
    case .int32(let value): Int128(value)
    case .uint32(let value), .numberedPath(let value, _): Int128(value)
    case .int64(let value): Int128(value)
    case .uint64(let value): Int128(value)
    default: nil
    }
  }

  /// The D-Bus signature, such as `as`.
  public var signature: String {
    switch self {
    case .string: "s"
    case .strings: "as"
    case .objectPath: "o"
    case .bool: "b"
    case .int32: "i"
    case .uint32: "u"
    case .int64: "x"
    case .uint64: "t"
    case .double: "d"
    case .bytes: "ay"
    case .numberedPath: "(uo)"
    case .commands: BusMessage.unitCommandsSignature
    case .conditions: BusMessage.unitConditionsSignature
    case .other(let signature): signature
    }
  }
}

/// What a message carries, argument by argument.
public enum BusArgument: Sendable, Equatable {
  /// The value itself.
  case value(BusValue)
  /// The value as a variant, `v`.
  case variant(BusValue)
  /// A dictionary of variants, `a{sv}`: properties or options.
  case dictionary([String: BusValue])
  /// A descriptor, `h`. sd-bus duplicates it at once: the caller's stays the caller's.
  case descriptor(Int32)

  public static func string(_ text: String) -> BusArgument { .value(.string(text)) }
}
