extension JSONText {
  /// The value that these JSON text stands for, by its `init(from:)`.
  /// - Throws: `DecodingError`.
  public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
    try NodeDecoder(text: self, codingPath: []).value(type)
  }
}

private struct NodeDecoder: Decoder {
  let text: JSONText
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
    switch (text, type) {
    case (.bool(let flag), is Bool.Type): if let value = flag as? Value { return value }
    case (.string(let string), is String.Type): if let value = string as? Value { return value }
    case (.seconds(let number), is Double.Type): if let value = number as? Value { return value }
    case (.integer(let number), is Double.Type): if let value = Double(number) as? Value { return value }
    case (.integer(let number), let integer as any (FixedWidthInteger & Decodable).Type):
      if let value = exactly(number, integer) as? Value { return value }
    case (_, is Bool.Type), (_, is String.Type), (_, is Double.Type), (_, is any FixedWidthInteger.Type): break
    default: return try Value(from: self)
    }
    throw mismatch(type)
  }

  private func exactly<Number: FixedWidthInteger>(_ number: Int64, _ type: Number.Type) -> Any? {
    Number(exactly: number)
  }

  func mismatch(_ type: Any.Type) -> DecodingError {
    .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "not a \(type)"))
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object(let members) = text else { throw mismatch([String: Any].self) }
    return KeyedDecodingContainer(ObjectDecoder(members: members, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let items) = text else { throw mismatch([Any].self) }
    return ArrayDecoder(items: items, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { ValueDecoder(decoder: self) }
}

private struct ObjectDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let members: [(String, JSONText)]
  let codingPath: [any CodingKey]
  var allKeys: [Key] { members.compactMap { Key(stringValue: $0.0) } }

  private func find(_ key: Key) -> JSONText? { members.first { $0.0 == key.stringValue }?.1 }

  private func decoder(_ key: Key) throws -> NodeDecoder {
    guard let text = find(key) else {
      throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "no \(key.stringValue)"))
    }
    return NodeDecoder(text: text, codingPath: codingPath + [key])
  }

  func contains(_ key: Key) -> Bool { find(key) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try decoder(key).text == .null }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try decoder(key).value(type) }

  func nestedContainer<Inner: CodingKey>(keyedBy type: Inner.Type, forKey key: Key) throws
    -> KeyedDecodingContainer<Inner>
  { try decoder(key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try decoder(key).unkeyedContainer()
  }
  func superDecoder() throws -> any Decoder { NodeDecoder(text: .object(members), codingPath: codingPath) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}

private struct ArrayDecoder: UnkeyedDecodingContainer {
  let items: [JSONText]
  let codingPath: [any CodingKey]
  private(set) var currentIndex = 0
  var count: Int? { items.count }
  var isAtEnd: Bool { currentIndex >= items.count }

  init(items: [JSONText], codingPath: [any CodingKey]) {
    self.items = items
    self.codingPath = codingPath
  }

  private mutating func next(_ type: Any.Type) throws -> NodeDecoder {
    guard !isAtEnd else {
      throw DecodingError.valueNotFound(
        type, .init(codingPath: codingPath, debugDescription: "the array is at its end"))
    }
    defer { currentIndex += 1 }
    return NodeDecoder(text: items[currentIndex], codingPath: codingPath)
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, items[currentIndex] == .null else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next(type).value(type) }
  mutating func nestedContainer<Inner: CodingKey>(keyedBy type: Inner.Type) throws -> KeyedDecodingContainer<Inner> {
    try next(type).container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next([Any].self).unkeyedContainer()
  }
  mutating func superDecoder() throws -> any Decoder { try next(Any.self) }
}

private struct ValueDecoder: SingleValueDecodingContainer {
  let decoder: NodeDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.text == .null }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.value(type) }
}
