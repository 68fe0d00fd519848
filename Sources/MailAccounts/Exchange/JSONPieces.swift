import JSON

/// A JSON document that is read from front to back, a value at a time: one of a million users is not held in memory.
struct JSONPieces {
  private let source: ImportSource
  private var buffer: [UInt8] = []
  private var position = 0
  private var isAtEnd = false
  // For what is said of a mistake; columns count bytes.
  private var line = 1
  private var column = 1

  /// The longest value: a list is none, its items are.
  private static let limit = 1 << 20

  init(_ source: ImportSource) { self.source = source }

  /// What comes next, behind white space; nil at the end.
  mutating func peek() throws(AccountError) -> UInt8? {
    while let byte = try byte() {
      guard Self.isSpace(byte) else { return byte }
      advance()
    }
    return nil
  }

  /// Whether it is this character, which is then passed.
  mutating func take(_ character: Unicode.Scalar) throws(AccountError) -> Bool {
    guard try peek() == UInt8(ascii: character) else { return false }
    advance()
    return true
  }

  mutating func require(_ character: Unicode.Scalar) throws(AccountError) {
    guard try take(character) else { throw mistake(line, column) }
  }

  /// The next value, whatever it is.
  mutating func value() throws(AccountError) -> JSONText {
    guard try peek() != nil else { throw mistake(line, column) }
    let (firstLine, firstColumn) = (line, column)
    let bytes = try piece()
    do throws(JSONSyntaxError) {
      return try JSONText(strictly: bytes)
    } catch {
      throw mistake(firstLine + error.line - 1, error.line == 1 ? firstColumn + error.column - 1 : error.column)
    }
  }

  mutating func requireEnd() throws(AccountError) {
    guard try peek() == nil else { throw mistake(line, column) }
  }

  /// As many bytes as belong together; whether they are a value is for the parser to say.
  private mutating func piece() throws(AccountError) -> [UInt8] {
    var bytes: [UInt8] = []
    var depth = 0
    var isInString = false
    var isEscaped = false
    while let byte = try byte() {
      guard bytes.count < Self.limit else { throw .invalid("line \(line) has a value that is longer than 1 MiB") }
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
      } else {
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          if depth == 0 { return bytes }
          depth -= 1
        case UInt8(ascii: ","), UInt8(ascii: ":"):
          if depth == 0 { return bytes }
        case _ where depth == 0 && Self.isSpace(byte): return bytes
        default: break
        }
      }
      bytes.append(byte)
      advance()
      if depth == 0, !isInString, byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "\"") {
        return bytes
      }
    }
    return bytes
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

  private mutating func byte() throws(AccountError) -> UInt8? {
    if position == buffer.count, !isAtEnd {
      buffer = try source.read()
      position = 0
      isAtEnd = buffer.isEmpty
    }
    return position < buffer.count ? buffer[position] : nil
  }

  private mutating func advance() {
    if buffer[position] == 0x0A {
      line += 1
      column = 1
    } else {
      column += 1
    }
    position += 1
  }

  private func mistake(_ line: Int, _ column: Int) -> AccountError {
    .invalid("no JSON at line \(line), column \(column)")
  }
}
