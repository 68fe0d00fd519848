/// Drops what only moves a terminal's cursor or sets its colours, byte by byte as it arrives.
struct EscapeFilter: Sendable {
  private enum State {
    case text
    case escape
    case control
    case operatingSystem
    case operatingSystemEscape
    case charset
  }

  private var state = State.text

  /// Whether this byte is text: anything printable, a tab or a newline.
  mutating func passes(_ byte: UInt8) -> Bool {
    switch state {
    case .text:
      if byte == 0x1B { state = .escape }
      return byte >= 0x20 && byte != 0x7F || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t")
    case .escape:
      switch byte {
      case UInt8(ascii: "["): state = .control
      case UInt8(ascii: "]"), UInt8(ascii: "P"): state = .operatingSystem
      case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "#"): state = .charset
      default: state = .text
      }
    case .control:
      if (0x40...0x7E).contains(byte) { state = .text }
    case .operatingSystem:
      if byte == 0x07 { state = .text }
      if byte == 0x1B { state = .operatingSystemEscape }
    case .operatingSystemEscape, .charset:
      state = .text
    }
    return false
  }
}
