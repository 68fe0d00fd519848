/// One logical line of main.cf or master.cf: what begins at the margin, with the lines below that are indented.
struct PostfixLine: Equatable {
  /// From 1, of the line that it begins in.
  var number: Int
  /// Each run of white space is one space.
  var text: String

  /// All of a file, without comments and empty lines; as postfix, a comment does not end a line that goes on below it.
  static func all(of text: String) -> [PostfixLine] {
    var lines: [PostfixLine] = []
    for (index, raw) in textLines(text).enumerated() {
      let words = raw.split(whereSeparator: isSpace)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      let joined = words.joined(separator: " ")
      if raw.first.map(isSpace) == true, !lines.isEmpty {
        lines[lines.count - 1].text += " " + joined
      } else {
        lines.append(PostfixLine(number: index + 1, text: joined))
      }
    }
    return lines
  }
}

/// The lines of a text, the last one empty if it ends with a newline. By bytes: to Swift "\r\n" is one character, and no newline.
func textLines(_ text: String) -> [String] {
  text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
    String(decoding: $0, as: UTF8.self)
  }
}

/// White space in a line; what an editor of another system leaves at its end too.
func isSpace(_ character: Character) -> Bool {
  character == " " || character == "\t" || character == "\r" || character == "\u{0B}" || character == "\u{0C}"
}

/// Without white space at both ends.
func trimmed(_ text: some StringProtocol) -> String {
  var rest = Substring(text).drop(while: isSpace)
  while let last = rest.last, isSpace(last) { rest.removeLast() }
  return String(rest)
}
