import Text

extension Output {
  /// Text from the database or from the call: nothing in it acts on a terminal.
  func addVisible(_ text: String) { add(isPlain(text) ? text : visible(text)) }

  func visibleLine(_ text: String) {
    addVisible(text)
    endLine()
  }

  /// A field between tabs: tab, newline, carriage return and backslash as `\t`, `\n`, `\r` and `\\`.
  func addField(_ text: String) {
    if isPlain(text) && !text.utf8.contains(UInt8(ascii: "\\")) { return add(text) }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): add("\\\\")
      case 0x09: add("\\t")
      case 0x0A: add("\\n")
      case 0x0D: add("\\r")
      default: add(byte)
      }
    }
  }

  /// Printable ASCII, as nearly everything is: a list of 100,000 users is not looked at scalar by scalar.
  private func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } }
}
