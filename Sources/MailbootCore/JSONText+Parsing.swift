extension JSONText {
  /// Parses one JSON value; nil when the bytes are anything else.
  ///
  /// For `state.json` alone, which we write ourselves and which `status` reads each time: Codable takes more time for it than all the
  /// rest of a status does. Numbers with a fraction or exponent become `.seconds`.
  public init?(parsing bytes: [UInt8]) {
    var parser = JSONParser(bytes)
    guard let value = parser.value(depth: 0), parser.isAtEnd else { return nil }
    self = value
  }

  public subscript(_ key: String) -> JSONText? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.0 == key }?.1
  }

  public var text: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  public var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .seconds(let number): number
    default: nil
    }
  }

  public var flag: Bool? {
    if case .bool(let flag) = self { return flag }
    return nil
  }

  public var items: [JSONText]? {
    if case .array(let items) = self { return items }
    return nil
  }

  public var members: [(String, JSONText)]? {
    if case .object(let members) = self { return members }
    return nil
  }
}

private struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return position == bytes.count
    }
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ byte: Character) -> Bool {
    skipSpace()
    guard next == byte.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func take(word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard position + length <= bytes.count else { return false }
    for offset in 0..<length where bytes[position + offset] != word.utf8Start[offset] { return false }
    position += length
    return true
  }

  mutating func value(depth: Int) -> JSONText? {
    // Ours is four deep; a damaged file is not to overflow the stack.
    guard depth < 32 else { return nil }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return object(depth)
    case UInt8(ascii: "["): return array(depth)
    case UInt8(ascii: "\""): return string().map(JSONText.string)
    case UInt8(ascii: "n"): return take(word: "null") ? .null : nil
    case UInt8(ascii: "t"): return take(word: "true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return take(word: "false") ? .bool(false) : nil
    default: return number()
    }
  }

  private mutating func object(_ depth: Int) -> JSONText? {
    position += 1
    var members: [(String, JSONText)] = []
    if take("}") { return .object(members) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\""), let key = string(), take(":"), let item = value(depth: depth + 1) else {
        return nil
      }
      members.append((key, item))
    } while take(",")
    return take("}") ? .object(members) : nil
  }

  private mutating func array(_ depth: Int) -> JSONText? {
    position += 1
    var items: [JSONText] = []
    if take("]") { return .array(items) }
    repeat {
      guard let item = value(depth: depth + 1) else { return nil }
      items.append(item)
    } while take(",")
    return take("]") ? .array(items) : nil
  }

  private mutating func number() -> JSONText? {
    let begin = position
    while let byte = next, (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte) { position += 1 }
    let text = String(decoding: bytes[begin..<position], as: UTF8.self)
    return Int64(text).map(JSONText.integer) ?? Double(text).map(JSONText.seconds)
  }

  private mutating func string() -> String? {
    position += 1
    var result: [UInt8] = []
    while let byte = next {
      position += 1
      if byte == UInt8(ascii: "\"") { return String(validating: result, as: UTF8.self) }
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      guard let escaped = next else { return nil }
      position += 1
      switch escaped {
      case UInt8(ascii: "n"): result.append(0x0a)
      case UInt8(ascii: "r"): result.append(0x0d)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escaped)
      case UInt8(ascii: "u"):
        // We write `\u` for control characters only.
        guard position + 4 <= bytes.count,
          let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
          let scalar = Unicode.Scalar(code)
        else { return nil }
        position += 4
        result += Array(String(Character(scalar)).utf8)
      default: return nil
      }
    }
    return nil
  }
}
