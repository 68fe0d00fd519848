extension JSONText {
  /// Parses one JSON value; nil when the bytes are anything else. Codable takes more time for it than all the rest of a
  /// `status` does. Numbers with a fraction or exponent become `.seconds`.
  public init?(parsing bytes: [UInt8]) {
    guard let value = try? JSONText(strictly: bytes) else { return nil }
    self = value
  }

  /// Parses one JSON value, and says where that fails.
  public init(strictly bytes: [UInt8]) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes)
    guard let value = parser.value(depth: 0), parser.isAtEnd else { throw JSONSyntaxError(bytes, parser.position) }
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

/// Where bytes stop being JSON.
public struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Both from 1; the column in bytes.
  public var line: Int
  public var column: Int

  init(_ bytes: [UInt8], _ position: Int) {
    let before = bytes[..<min(position, bytes.count)]
    line = 1 + before.count { $0 == 0x0a }
    column = 1 + before.count - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0)
  }

  public var description: String { "no JSON at line \(line), column \(column)" }
}

private struct JSONParser {
  private let bytes: [UInt8]
  private(set) var position = 0

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

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
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
    while let byte = next, Self.isOfNumber(byte) { position += 1 }
    // JSON has neither `+1` nor `01`; the rest is the same for Swift.
    let digits = bytes[begin..<position].drop { $0 == UInt8(ascii: "-") }
    guard digits.first.map({ (0x30...0x39).contains($0) }) == true,
      digits.last.map({ (0x30...0x39).contains($0) }) == true,
      digits.first != 0x30 || !(digits.dropFirst().first.map { (0x30...0x39).contains($0) } ?? false)
    else { return nil }
    let text = String(decoding: bytes[begin..<position], as: UTF8.self)
    return Int64(text).map(JSONText.integer) ?? Double(text).map(JSONText.seconds)
  }

  private static func isOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private mutating func string() -> String? {
    position += 1
    let begin = position
    // Most are ASCII without an escape, and need neither a copy nor a check.
    while let byte = next, (0x20..<0x80).contains(byte), byte != UInt8(ascii: "\\") {
      position += 1
      guard byte == UInt8(ascii: "\"") else { continue }
      return bytes.withUnsafeBufferPointer {
        String(decoding: UnsafeBufferPointer(rebasing: $0[begin..<position - 1]), as: UTF8.self)
      }
    }
    var result = Array(bytes[begin..<position])
    while let byte = next {
      position += 1
      if byte == UInt8(ascii: "\"") { return String(validating: result, as: UTF8.self) }
      guard byte >= 0x20 else {
        position -= 1
        return nil
      }
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
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0c)
      case UInt8(ascii: "u"):
        guard let scalar = escapedScalar() else { return nil }
        result += Array(String(Character(scalar)).utf8)
      default: return nil
      }
    }
    return nil
  }

  /// What stands after `\u`: four hexadecimal digits, or a pair of surrogates.
  private mutating func escapedScalar() -> Unicode.Scalar? {
    guard let unit = hexadecimalUnit() else { return nil }
    guard UTF16.isLeadSurrogate(unit) else { return Unicode.Scalar(unit) }
    guard position + 2 <= bytes.count, bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
    else { return nil }
    position += 2
    guard let second = hexadecimalUnit(), UTF16.isTrailSurrogate(second) else { return nil }
    return UTF16.decode(UTF16.EncodedScalar([unit, second]))
  }

  private mutating func hexadecimalUnit() -> UInt16? {
    guard position + 4 <= bytes.count else { return nil }
    var unit: UInt16 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
      unit = unit << 4 | UInt16(digit)
    }
    position += 4
    return unit
  }
}
