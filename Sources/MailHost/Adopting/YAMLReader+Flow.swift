import MailbootCore

extension YAMLReader {
  /// A list or map in brackets, over several lines if it has them: with the column behind its end.
  mutating func flow(from column: Int, depth: Int) throws(ConfigurationError) -> (node: YAMLNode, end: Int) {
    if depth > 64 { throw issue(column: column, "is nested too deeply") }
    let (startLine, isMap) = (current, lines[current][column] == "{")
    let place = origin(current, column)
    if isMap, column + 1 < lines[current].count, lines[current][column + 1] == "{" {
      throw issue(column: column, "begins with {{, which YAML takes for a map", expected: "quotes: \"{{ … }}\"")
    }
    let close: Character = isMap ? "}" : "]"
    var entries: [YAMLNode.Entry] = []
    var items: [YAMLNode] = []
    var index = column + 1
    while true {
      guard skipBlanks(&index) else {
        throw issue(line: startLine, column: column, "has no end: the closing \(close) is missing")
      }
      if lines[current][index] == close {
        return (YAMLNode(isMap ? .map(entries) : .list(items), at: place), index + 1)
      }
      let element = try flowElement(&index, depth: depth)
      guard skipBlanks(&index) else { continue }
      if isMap {
        guard let key = element.text else { throw issue(column: index, "is no key", expected: "name: value") }
        var value = YAMLNode(.null, at: element.origin)
        if lines[current][index] == ":" {
          index += 1
          if skipBlanks(&index), lines[current][index] != ",", lines[current][index] != close {
            value = try flowElement(&index, depth: depth)
          }
        }
        entries.append(YAMLNode.Entry(key: key, value: value))
      } else {
        items.append(element)
      }
      guard skipBlanks(&index) else { continue }
      if lines[current][index] == "," {
        index += 1
      } else if lines[current][index] != close {
        throw issue(column: index, "is not understood between brackets", expected: "a comma or \(close)")
      }
    }
  }

  private mutating func flowElement(_ index: inout Int, depth: Int) throws(ConfigurationError) -> YAMLNode {
    let place = origin(current, index)
    switch lines[current][index] {
    case "[", "{":
      let (node, end) = try flow(from: index, depth: depth + 1)
      index = end
      return node
    case "\"", "'":
      let (text, end) = try quoted(from: index)
      index = end
      return YAMLNode(.scalar(text, isPlain: false), at: place)
    case "&", "*", "!":
      throw issue(column: index, "is an anchor, an alias or a tag, which are not understood between brackets")
    default:
      let line = lines[current]
      let start = index
      while index < line.count {
        if ",[]{}".contains(line[index]) || line[index] == "#" && index > 0 && line[index - 1] == " " { break }
        if line[index] == ":", index + 1 == line.count || " ,]}".contains(line[index + 1]) { break }
        index += 1
      }
      guard index > start else { throw issue(column: index, "is not understood between brackets", expected: "a value") }
      return YAMLNode(YAMLNode.plain(trimmed(String(line[start..<index]))), at: place)
    }
  }

  /// Goes on to the next character that says something, over lines and comments; whether there is one.
  private mutating func skipBlanks(_ index: inout Int) -> Bool {
    while true {
      let line = lines[current]
      while index < line.count, line[index] == " " || line[index] == "\t" { index += 1 }
      if index < line.count, line[index] != "#" { return true }
      guard current + 1 < lines.count else { return false }
      current += 1
      index = 0
    }
  }
}
