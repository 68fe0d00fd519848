import Text

extension Output {
  /// Text from the database or from the call: nothing in it acts on a terminal, or ends the line.
  func addVisible(_ text: String) { add(isPlain(text) ? text : visibleInLine(text)) }

  func visibleLine(_ text: String) {
    addVisible(text)
    endLine()
  }

  /// A field between tabs: tab, newline, carriage return and backslash as `\t`, `\n`, `\r` and `\\`, other bytes that a terminal would act on
  /// as `\xNN`.
  func addField(_ text: String) {
    if isPlain(text) && !text.utf8.contains(UInt8(ascii: "\\")) { return add(text) }
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": add("\\\\")
      case "\t": add("\\t")
      case "\n": add("\\n")
      case "\r": add("\\r")
      case _ where scalar.isHarmless: add(String(scalar))
      default:
        for byte in String(scalar).utf8 {
          let digits = String(byte, radix: 16)
          add("\\x" + (digits.count < 2 ? "0" : "") + digits)
        }
      }
    }
  }

  /// Printable ASCII, as nearly everything is: a list of 100,000 users is not looked at scalar by scalar.
  private func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } }
}
