import Glibc

extension BusMessage {
  // MARK: Writing

  func append(_ arguments: [BusArgument]) throws(BusError) {
    for argument in arguments {
      switch argument {
      case .value(let value): try append(value)
      case .variant(let value): try appendVariant(value)
      case .dictionary(let entries): try append(entries)
      case .descriptor(let descriptor): try append(descriptor: descriptor)
      }
    }
  }

  func append(_ value: BusValue) throws(BusError) {
    switch value {
    case .string(let text): try append(text)
    case .strings(let texts): try append(texts)
    case .objectPath(let path): try append(objectPath: path)
    case .bool(let flag): try append(flag)
    case .int32(let number): try append(number, as: BusType.int32)
    case .uint32(let number): try append(number, as: BusType.uint32)
    case .int64(let number): try append(number, as: BusType.int64)
    case .uint64(let number): try append(number, as: BusType.uint64)
    case .double(let number): try append(number, as: BusType.double)
    case .bytes(let bytes): try append(bytes: bytes)
    case .numberedPath(let number, let path):
      try container(BusType.structure, "uo") { () throws(BusError) in
        try append(number, as: BusType.uint32)
        try append(objectPath: path)
      }
    case .commands, .conditions, .other: throw BusError(code: -EINVAL, operation: operation)
    }
  }

  func appendVariant(_ value: BusValue) throws(BusError) {
    try container(BusType.variant, value.signature) { () throws(BusError) in try append(value) }
  }

  private func append(_ entries: [String: BusValue]) throws(BusError) {
    try container(BusType.array, "{sv}") { () throws(BusError) in
      for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
        try container(BusType.dictionaryEntry, "sv") { () throws(BusError) in
          try append(name)
          try appendVariant(value)
        }
      }
    }
  }

  // MARK: Reading

  /// An `a{sv}`: options, or a reply of `Properties.GetAll`.
  /// - Parameter wanted: the names to read; the rest is skipped. Nil: all.
  func readDictionary(only wanted: Set<String>? = nil) throws(BusError) -> [String: BusValue] {
    var entries: [String: BusValue] = [:]
    try enter(BusType.array, "{sv}")
    while try enter(BusType.dictionaryEntry, "sv") {
      let name = try readString()
      if wanted?.contains(name) ?? true { entries[name] = try readVariant() } else { try skip("v") }
      try exit()
    }
    try exit()
    return entries
  }

  /// A variant. One of a type not known here is skipped.
  func readVariant() throws(BusError) -> BusValue {
    let signature = try variantSignature()
    let read: () throws(BusError) -> BusValue
    switch signature {
    case "s": read = { () throws(BusError) in .string(try self.readString()) }
    case "as": read = { () throws(BusError) in .strings(try self.readStrings()) }
    case "o": read = { () throws(BusError) in .objectPath(try self.readObjectPath()) }
    case "b": read = { () throws(BusError) in .bool(try self.readBool()) }
    case "i": read = { () throws(BusError) in .int32(try self.readInt32()) }
    case "u": read = { () throws(BusError) in .uint32(try self.readUInt32()) }
    case "x": read = { () throws(BusError) in .int64(try self.readInt64()) }
    case "t": read = { () throws(BusError) in .uint64(try self.readUInt64()) }
    case "d": read = { () throws(BusError) in .double(try self.readDouble()) }
    case "ay": read = { () throws(BusError) in .bytes(try self.readBytes()) }
    case "(uo)": read = { () throws(BusError) in try self.readNumberedPath() }
    case Self.unitConditionsSignature: read = { () throws(BusError) in .conditions(try self.readUnitConditions()) }
    case Self.unitCommandsSignature: read = { () throws(BusError) in .commands(try self.readUnitCommands()) }
    default:
      try skip("v")
      return .other(signature: signature)
    }
    try enter(BusType.variant, signature)
    let value = try read()
    try exit()
    return value
  }

  private func readNumberedPath() throws(BusError) -> BusValue {
    try enter(BusType.structure, "uo")
    let number = try readUInt32()
    let path = try readObjectPath()
    try exit()
    return .numberedPath(number, path)
  }
}
