extension JSONText {
  /// What a value's `encode(to:)` writes. Numbers are integers, or seconds to the millisecond.
  ///
  /// Our own small bridge from Codable: Foundation's would be a third of the program, and of the time that it takes to start.
  public init(encoding value: some Encodable) throws {
    let node = EncodedNode()
    try node.write(value)
    self = node.text
  }
}

/// A JSON value that is being written.
private final class EncodedNode {
  private var leaf = JSONText.null
  private var members: [(String, EncodedNode)]?
  private var items: [EncodedNode]?

  var text: JSONText {
    if let members { return .object(members.map { ($0, $1.text) }) }
    if let items { return .array(items.map(\.text)) }
    return leaf
  }

  var count: Int { items?.count ?? 0 }

  func beginObject() { members = members ?? [] }
  func beginArray() { items = items ?? [] }

  func member(_ name: String) -> EncodedNode {
    let node = EncodedNode()
    members?.append((name, node))
    return node
  }

  func item() -> EncodedNode {
    let node = EncodedNode()
    items?.append(node)
    return node
  }

  func write(_ value: some Encodable) throws {
    switch value {
    case let flag as Bool: leaf = .bool(flag)
    case let string as String: leaf = .string(string)
    case let number as Double: leaf = .seconds(number)
    case let number as any BinaryInteger & Encodable: leaf = .integer(Int64(clamping: number))
    default: try value.encode(to: NodeEncoder(node: self, codingPath: []))
    }
  }
}

private struct NodeEncoder: Encoder {
  let node: EncodedNode
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.beginObject()
    return KeyedEncodingContainer(ObjectEncoder(node: node, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.beginArray()
    return ArrayEncoder(node: node, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { ValueEncoder(node: node, codingPath: codingPath) }
}

private struct ObjectEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: EncodedNode
  let codingPath: [any CodingKey]

  func encodeNil(forKey key: Key) { _ = node.member(key.stringValue) }
  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    try node.member(key.stringValue).write(value)
  }

  func nestedContainer<Inner: CodingKey>(keyedBy type: Inner.Type, forKey key: Key) -> KeyedEncodingContainer<Inner> {
    encoder(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder(key).unkeyedContainer() }
  func superEncoder() -> any Encoder { NodeEncoder(node: node.member("super"), codingPath: codingPath) }
  func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }

  private func encoder(_ key: Key) -> NodeEncoder {
    NodeEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key])
  }
}

private struct ArrayEncoder: UnkeyedEncodingContainer {
  let node: EncodedNode
  let codingPath: [any CodingKey]
  var count: Int { node.count }

  func encodeNil() { _ = node.item() }
  func encode<Value: Encodable>(_ value: Value) throws { try node.item().write(value) }

  func nestedContainer<Inner: CodingKey>(keyedBy type: Inner.Type) -> KeyedEncodingContainer<Inner> {
    NodeEncoder(node: node.item(), codingPath: codingPath).container(keyedBy: type)
  }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    NodeEncoder(node: node.item(), codingPath: codingPath).unkeyedContainer()
  }
  func superEncoder() -> any Encoder { NodeEncoder(node: node.item(), codingPath: codingPath) }
}

private struct ValueEncoder: SingleValueEncodingContainer {
  let node: EncodedNode
  let codingPath: [any CodingKey]

  func encodeNil() {}
  func encode<Value: Encodable>(_ value: Value) throws { try node.write(value) }
}
