/// What a terminal without a lower edge or a right one would show after some output: progress that redraws itself
/// leaves only its last form.
struct TerminalScreen {
  private var lines: [[Unicode.Scalar]] = [[]]
  private var row = 0
  private var column = 0

  /// The output of a terminal, with escape sequences in it.
  init(showing output: some Sequence<UInt8>) {
    var scalars = String(decoding: Array(output), as: UTF8.self).unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\u{1B}": Self.skipOrApply(&self, &scalars)
      case "\n": moveDown(1)
      case "\r": column = 0
      case "\u{08}": column = max(0, column - 1)
      case "\t": column = (column / 8 + 1) * 8
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: break
      default: put(scalar)
      }
    }
  }

  /// The lines, joined by newlines; without trailing blanks, except on the last one, which may be a prompt.
  var text: String {
    lines.enumerated().map { number, line in
      var view = String.UnicodeScalarView(line)
      while number < lines.count - 1, view.last == " " { view.removeLast() }
      return String(view)
    }.joined(separator: "\n")
  }

  private mutating func put(_ scalar: Unicode.Scalar) {
    while lines[row].count < column { lines[row].append(" ") }
    if column < lines[row].count {
      lines[row][column] = scalar
    } else {
      lines[row].append(scalar)
    }
    column += 1
  }

  private mutating func moveDown(_ count: Int) {
    row += count
    while lines.count <= row { lines.append([]) }
  }

  private static func skipOrApply(_ screen: inout Self, _ scalars: inout Substring.UnicodeScalarView) {
    guard let kind = scalars.popFirst() else { return }
    switch kind {
    case "[":
      var parameters = ""
      while let scalar = scalars.popFirst() {
        if (0x40...0x7E).contains(scalar.value) {
          screen.apply(scalar, parameters)
          return
        }
        parameters.unicodeScalars.append(scalar)
      }
    case "]", "P":
      while let scalar = scalars.popFirst() {
        if scalar == "\u{07}" { return }
        if scalar == "\u{1B}" {
          _ = scalars.popFirst()
          return
        }
      }
    case "(", ")", "#":
      _ = scalars.popFirst()
    default:
      break
    }
  }

  /// Control sequences of ECMA-48 that move the cursor or erase; absolute rows mean nothing without an upper edge.
  private mutating func apply(_ final: Unicode.Scalar, _ parameters: String) {
    let first = Int(parameters.split(separator: ";").first ?? "")
    let count = min(max(first ?? 1, 1), 1000)
    switch final {
    case "A": row = max(0, row - count)
    case "B": moveDown(count)
    case "C": column += count
    case "D": column = max(0, column - count)
    case "E":
      moveDown(count)
      column = 0
    case "F":
      row = max(0, row - count)
      column = 0
    case "G": column = count - 1
    case "K": eraseInLine(first ?? 0)
    case "J" where (first ?? 0) == 0:
      eraseInLine(0)
      lines.removeSubrange((row + 1)...)
    default: break
    }
  }

  private mutating func eraseInLine(_ which: Int) {
    switch which {
    case 0:
      if column < lines[row].count { lines[row].removeSubrange(column...) }
    case 1:
      for index in 0..<min(column + 1, lines[row].count) { lines[row][index] = " " }
    default: lines[row] = []
    }
  }
}
