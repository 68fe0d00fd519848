import MailbootCore

extension YAMLReader {
  /// A scalar without quotes, and the lines that go on with it.
  mutating func plain(from column: Int, parent: Int) throws(ConfigurationError) -> YAMLNode.Value {
    var words = [try plainLine(from: column)]
    current += 1
    while current < lines.count {
      let blanks = lines[current].prefix { $0 == " " }.count
      let isBlank = blanks == lines[current].count
      if isBlank || blanks <= parent || lines[current][blanks] == "#" { break }
      words.append(try plainLine(from: blanks))
      current += 1
    }
    return YAMLNode.plain(words.joined(separator: " "))
  }

  private func plainLine(from column: Int) throws(ConfigurationError) -> String {
    let line = lines[current]
    var end = line.count
    for index in column..<line.count {
      if line[index] == "#", index > 0, line[index - 1] == " " || line[index - 1] == "\t" {
        end = index
        break
      }
      if line[index] == ":", index + 1 == line.count || line[index + 1] == " " {
        throw issue(column: index, "has a colon in a value without quotes", expected: "quotes around the value")
      }
    }
    return trimmed(String(line[column..<end]))
  }

  /// `|` and `>`: the lines below, as they are or folded.
  mutating func literal(from column: Int, parent: Int) throws(ConfigurationError) -> String {
    let header = String(lines[current][column...].prefix { $0 != " " && $0 != "#" })
    let isFolded = header.hasPrefix(">")
    var chomp: Character?
    var width: Int?
    for sign in header.dropFirst() {
      if sign == "-" || sign == "+" {
        chomp = sign
      } else if let digit = sign.wholeNumberValue, digit > 0 {
        width = digit
      } else {
        throw issue(column: column, "\"\(header)\" is no beginning of a text", expected: "|, |-, > or >-")
      }
    }
    current += 1
    var body: [String] = []
    var margin = width.map { max(parent, 0) + $0 }
    while current < lines.count {
      let line = lines[current]
      let blanks = line.prefix { $0 == " " }.count
      if blanks == line.count {
        body.append(String(line.dropFirst(margin ?? blanks)))
      } else {
        if blanks <= parent || margin.map({ blanks < $0 }) == true { break }
        if margin == nil { margin = blanks }
        body.append(String(line[(margin ?? blanks)...]))
      }
      current += 1
    }
    let tail = body.reversed().prefix { $0.isEmpty }.count
    body.removeLast(tail)
    let text = isFolded ? Self.folded(body) : body.joined(separator: "\n")
    switch chomp {
    case "-": return text
    case "+": return text + String(repeating: "\n", count: tail + 1)
    default: return text.isEmpty ? "" : text + "\n"
    }
  }

  /// One newline is a space, an empty line is a newline; lines that are indented more stay as they are.
  private static func folded(_ lines: [String]) -> String {
    var text = ""
    for (index, line) in lines.enumerated() {
      if index > 0 {
        let before = lines[index - 1]
        if line.isEmpty || line.hasPrefix(" ") || before.hasPrefix(" ") {
          text += "\n"
        } else if !before.isEmpty {
          text += " "
        }
      }
      text += line
    }
    return text
  }

  /// A scalar in quotes, over several lines if it has them: the text, and the column behind its end in the line that is current then.
  mutating func quoted(from column: Int) throws(ConfigurationError) -> (text: String, end: Int) {
    let (startLine, quote) = (current, lines[current][column])
    var text = ""
    var index = column + 1
    while true {
      guard index < lines[current].count else {
        guard current + 1 < lines.count else {
          throw issue(line: startLine, column: column, "has no end: the closing \(quote) is missing")
        }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        current += 1
        var empty = 0
        while current + 1 < lines.count, lines[current].allSatisfy({ $0 == " " }) {
          empty += 1
          current += 1
        }
        text += empty == 0 ? " " : String(repeating: "\n", count: empty)
        index = lines[current].prefix { $0 == " " }.count
        continue
      }
      let character = lines[current][index]
      index += 1
      if character == quote {
        guard quote == "'", index < lines[current].count, lines[current][index] == "'" else { return (text, index) }
        text.append("'")
        index += 1
      } else if character == "\\", quote == "\"" {
        text += try escape(at: &index)
      } else {
        text.append(character)
      }
    }
  }

  private func escape(at index: inout Int) throws(ConfigurationError) -> String {
    let line = lines[current]
    let known: [Character: String] = [
      "n": "\n", "t": "\t", "r": "\r", "0": "\0", "\"": "\"", "\\": "\\", "/": "/", " ": " ", "e": "\u{1b}",
    ]
    let digits: [Character: Int] = ["x": 2, "u": 4, "U": 8]
    guard index < line.count else { return "" }
    let sign = line[index]
    index += 1
    if let text = known[sign] { return text }
    let code = line[min(index, line.count)...].prefix(digits[sign] ?? 0)
    if let count = digits[sign], code.count == count, let number = UInt32(String(code), radix: 16),
      let scalar = Unicode.Scalar(number)
    {
      index += count
      return String(Character(scalar))
    }
    throw issue(
      column: index - 2, "\"\\\(sign)\" is no escape of YAML", expected: "single quotes, where a backslash is one")
  }
}
