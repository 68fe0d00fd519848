/// An argument as it may be quoted in a message, between double quotes: what a terminal would act on or not show becomes an
/// escape as in Swift source, and more than `limit` scalars are cut.
func quoted(_ text: String, limit: Int = 80) -> String {
  var result = "\""
  var shown = 0
  for scalar in text.unicodeScalars {
    guard shown < limit else {
      result += "…"
      break
    }
    shown += 1
    switch scalar {
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case "\0": result += "\\0"
    case "\"", "\\": result += "\\\(scalar)"
    case _ where scalar.isVisible: result.unicodeScalars.append(scalar)
    default: result += "\\u{\(scalar.hexadecimal)}"
    }
  }
  return result + "\""
}

extension Unicode.Scalar {
  /// A character in a message: `"é" (U+00E9)`, and the code point alone where there is nothing to see.
  var named: String { isVisible && !isASCIISpace ? "\(quoted(String(self))) (\(codePoint))" : codePoint }

  /// `U+00E9`.
  var codePoint: String {
    let digits = hexadecimal
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// Space, tab, line feed, vertical tab, form feed or carriage return.
  var isASCIISpace: Bool { isASCII && UInt8(ascii: self).isSpace }

  fileprivate var hexadecimal: String { String(value, radix: 16, uppercase: true) }

  /// Whether it shows by itself, without changing what is around it.
  fileprivate var isVisible: Bool {
    if isASCII { return (0x20..<0x7F).contains(value) }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .unassigned, .surrogate,
      .nonspacingMark, .enclosingMark:
      return false
    default: return true
    }
  }
}

extension UInt8 {
  /// ASCII white space.
  var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
  var isLowerCaseLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
  var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
  var lowerCased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }
}

extension ArraySlice<UInt8> {
  /// Without the ASCII white space around it.
  var trimmed: ArraySlice<UInt8> {
    guard let first = firstIndex(where: { !$0.isSpace }) else { return [] }
    let last = lastIndex { !$0.isSpace }!
    return self[first...last]
  }
}
