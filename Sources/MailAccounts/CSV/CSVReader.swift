import Text

/// A field as it stands between separators or in its quotes.
struct CSVField {
  var bytes: ArraySlice<UInt8>
  var isQuoted: Bool
}

/// Cuts the bytes of a CSV file (RFC 4180, with LF alone accepted too) into records.
struct CSVReader {
  private let bytes: [UInt8]
  let separator: UInt8
  private var position = 0
  /// Of the next record.
  private(set) var line: Int

  /// - Parameters:
  ///   - bytes: whole records.
  ///   - line: of the first of them.
  init(_ bytes: [UInt8], separator: UInt8, line: Int) {
    self.bytes = bytes
    self.separator = separator
    self.line = line
  }

  /// The fields of the next record that is no empty line, and the line it begins in; nil at the end.
  ///
  /// The fields are put into `fields`, which is emptied first: one array for a whole file.
  mutating func next(into fields: inout [CSVField]) throws(CSVError) -> Int? {
    fields.removeAll(keepingCapacity: true)
    while position < bytes.endIndex, try skipLineEnd() {}
    guard position < bytes.endIndex else { return nil }
    let first = line
    while true {
      let isQuoted = bytes[position] == quote
      fields.append(CSVField(bytes: isQuoted ? try quotedField() : try plainField(), isQuoted: isQuoted))
      if position == bytes.endIndex { return first }
      if try skipLineEnd() { return first }
      // A separator: there is a field behind it, and be it empty.
      position += 1
      if position == bytes.endIndex {
        fields.append(CSVField(bytes: [], isQuoted: false))
        return first
      }
    }
  }

  /// Whether a line end was there, which then is passed.
  private mutating func skipLineEnd() throws(CSVError) -> Bool {
    if bytes[position] == carriageReturn {
      guard position + 1 < bytes.endIndex, bytes[position + 1] == lineFeed else {
        throw CSVError(line: line, reason: "there is a carriage return without a line feed")
      }
      position += 1
    }
    guard bytes[position] == lineFeed else { return false }
    position += 1
    line += 1
    return true
  }

  private mutating func plainField() throws(CSVError) -> ArraySlice<UInt8> {
    let start = position
    while position < bytes.endIndex {
      let byte = bytes[position]
      if byte == separator || byte == lineFeed || byte == carriageReturn { break }
      guard byte != quote else {
        throw CSVError(line: line, reason: "there is a double quote inside a field that does not begin with one")
      }
      position += 1
    }
    return bytes[start..<position]
  }

  private mutating func quotedField() throws(CSVError) -> ArraySlice<UInt8> {
    let first = line
    position += 1
    var field: [UInt8] = []
    while position < bytes.endIndex {
      let byte = bytes[position]
      position += 1
      if byte == lineFeed { line += 1 }
      guard byte == quote else {
        field.append(byte)
        continue
      }
      guard position < bytes.endIndex else { return field[...] }
      switch bytes[position] {
      case quote:
        field.append(quote)
        position += 1
      case separator, lineFeed, carriageReturn: return field[...]
      default: throw CSVError(line: line, reason: "there is something behind a closing double quote")
      }
    }
    throw CSVError(line: first, reason: "a field that begins with a double quote does not end with one")
  }
}

private let quote = UInt8(ascii: "\"")
private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
