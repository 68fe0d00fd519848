/// The value of a D-Bus property, of the types read here.
enum PropertyValue: Equatable {
  case string(String)
  case strings([String])
  case number(Int128)
  case bool(Bool)
  case bytes([UInt8])

  var string: String? { if case .string(let value) = self { value } else { nil } }
  var strings: [String]? { if case .strings(let value) = self { value } else { nil } }
  var number: Int128? { if case .number(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var bytes: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }
}

extension BusMessage {
  /// A reply of `Properties.GetAll`: the values of the types known here.
  func readProperties() throws(BusError) -> [String: PropertyValue] {
    var properties: [String: PropertyValue] = [:]
    try enter(BusType.array, "{sv}")
    while try enter(BusType.dictionaryEntry, "sv") {
      let name = try readString()
      properties[name] = try readVariant()
      try exit()
    }
    try exit()
    return properties
  }

  /// A variant; nil, and skipped, when it is of another type.
  func readVariant() throws(BusError) -> PropertyValue? {
    let signature = try variantSignature()
    let read: () throws(BusError) -> PropertyValue
    switch signature {
    case "s": read = { () throws(BusError) in .string(try self.readString()) }
    case "o": read = { () throws(BusError) in .string(try self.readObjectPath()) }
    case "as": read = { () throws(BusError) in .strings(try self.readStrings()) }
    case "t": read = { () throws(BusError) in .number(Int128(try self.readUInt64())) }
    case "u": read = { () throws(BusError) in .number(Int128(try self.readUInt32())) }
    case "i": read = { () throws(BusError) in .number(Int128(try self.readInt32())) }
    case "b": read = { () throws(BusError) in .bool(try self.readBool()) }
    case "ay": read = { () throws(BusError) in .bytes(try self.readBytes()) }
    case "(uo)": read = { () throws(BusError) in .number(Int128(try self.readJobReference())) }
    default:
      try skip("v")
      return nil
    }
    try enter(BusType.variant, signature)
    let value = try read()
    try exit()
    return value
  }

  /// A unit's `Job` property: number and path, 0 and `/` for none.
  private func readJobReference() throws(BusError) -> UInt32 {
    try enter(BusType.structure, "uo")
    let number = try readUInt32()
    _ = try readObjectPath()
    try exit()
    return number
  }
}
