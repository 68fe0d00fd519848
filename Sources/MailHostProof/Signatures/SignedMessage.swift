import HostChecks

/// A mail as it lies in a mailbox: header fields as they are written, and the body.
struct SignedMessage {
  struct Field {
    /// In lower case.
    var name: String
    /// All after the colon, with the line ends within it.
    var value: [UInt8]
  }

  var fields: [Field] = []
  var body: [UInt8] = []

  /// - Parameter bytes: lines that end with CRLF.
  init(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while let line = Self.takeLine(&rest) {
      if line.isEmpty { break }
      if line.first == 0x20 || line.first == 0x09, !fields.isEmpty {
        fields[fields.count - 1].value += Self.lineEnd + line
      } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        fields.append(Field(name: name.filter { $0 != " " && $0 != "\t" }, value: Array(line[(colon + 1)...])))
      }
    }
    body = Array(rest)
  }

  /// The text of the first field of this name, without blanks around it.
  func value(of name: String) -> String? {
    guard let field = fields.first(where: { $0.name == name.lowercased() }) else { return nil }
    return String(decoding: Self.relaxed(field.value), as: UTF8.self)
  }

  static let lineEnd: [UInt8] = [0x0d, 0x0a]

  /// The next line without its end; nil when there is none.
  static func takeLine(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard !rest.isEmpty else { return nil }
    guard let end = rest.firstIndex(of: 0x0a) else {
      defer { rest = [] }
      return rest
    }
    let line = rest[..<end]
    rest = rest[(end + 1)...]
    return line.last == 0x0d ? line.dropLast() : line
  }

  /// Without line ends, blanks in a row as one space, none at either end (RFC 6376, 3.4.2).
  static func relaxed(_ value: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for byte in value where byte != 0x0d && byte != 0x0a {
      let isBlank = byte == 0x20 || byte == 0x09
      if isBlank, result.isEmpty || result.last == 0x20 { continue }
      result.append(isBlank ? 0x20 : byte)
    }
    if result.last == 0x20 { result.removeLast() }
    return result
  }

  /// The body as it is signed: empty lines at its end left aside, and relaxed with blanks in a row as one space and none at the end of
  /// a line (RFC 6376, 3.4.3 and 3.4.4).
  func canonicalBody(isRelaxed: Bool) -> [UInt8] {
    var lines: [[UInt8]] = []
    var rest = body[...]
    while let line = Self.takeLine(&rest) {
      guard isRelaxed else {
        lines.append(Array(line))
        continue
      }
      // Unlike in a header field, blanks at the beginning of a line stay, as one.
      let startsBlank = line.first == 0x20 || line.first == 0x09
      let text = Self.relaxed(Array(line))
      lines.append((startsBlank && !text.isEmpty ? [0x20] : []) + text)
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    if lines.isEmpty { return isRelaxed ? [] : Self.lineEnd }
    return lines.flatMap { $0 + Self.lineEnd }
  }
}
