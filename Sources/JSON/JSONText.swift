import Text

/// A JSON value whose objects keep their order, so that reports read the same every time and nil shows as `null`.
public indirect enum JSONText: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// Written with three decimals: seconds to the millisecond.
  case seconds(Double)
  case string(String)
  case array([JSONText])
  case object([(String, JSONText)])

  public static func optional(_ text: String?) -> JSONText { text.map(JSONText.string) ?? .null }

  public static func == (left: JSONText, right: JSONText) -> Bool { left.rendered() == right.rendered() }

  /// Indented by two spaces; empty arrays and objects on one line. No newline at the end.
  public func rendered() -> String {
    var text = ""
    write(to: &text, indent: "")
    return text
  }

  /// All in one line, for streams of values. No newline at the end.
  public func line() -> String {
    var text = ""
    write(to: &text, indent: nil)
    return text
  }

  /// - Parameter indent: what each further line begins with; nil: one line.
  private func write(to text: inout String, indent: String?) {
    switch self {
    case .null: text += "null"
    case .bool(let flag): text += flag ? "true" : "false"
    case .integer(let number): text += String(number)
    case .seconds(let number): text += decimal(number, places: 3)
    case .string(let string): Self.quote(string, to: &text)
    case .array(let items):
      Self.list(items, "[", "]", to: &text, indent: indent) { item, text, inner in item.write(to: &text, indent: inner)
      }
    case .object(let members):
      Self.list(members, "{", "}", to: &text, indent: indent) { member, text, inner in
        Self.quote(member.0, to: &text)
        text += inner == nil ? ":" : ": "
        member.1.write(to: &text, indent: inner)
      }
    }
  }

  private static func list<Item>(
    _ items: [Item], _ open: String, _ close: String, to text: inout String, indent: String?,
    _ write: (Item, inout String, String?) -> Void
  ) {
    text += open
    let inner = indent.map { $0 + "  " }
    for (index, item) in items.enumerated() {
      if index > 0 { text += "," }
      if let inner { text += "\n" + inner }
      write(item, &text, inner)
    }
    if let indent, !items.isEmpty { text += "\n" + indent }
    text += close
  }

  private static func quote(_ string: String, to text: inout String) {
    text += "\""
    // As nearly all are. Scalar by scalar a million users take 8 s more.
    if string.utf8.allSatisfy({ (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      text += string + "\""
      return
    }
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
        let hex = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
