import MailbootCore

/// Reads what files of variables are written in: maps and lists by indentation and in braces, scalars of every kind, comments, tags.
///
/// What is YAML and never in such files, it refuses with its place: anchors, several documents, keys that are no scalars.
public struct YAMLReader {
  let file: String
  /// Without their ends. What has been taken from the front of one is blank.
  var lines: [[Character]]
  /// The line that is looked at, from 0.
  var current = 0
  private var depth = 0

  private init(_ text: String, file: String) {
    self.file = file
    lines = textLines(text.hasPrefix("\u{feff}") ? String(text.dropFirst()) : text).map { line in
      Array(line.hasSuffix("\r") ? line.dropLast() : line[...])
    }
  }

  /// - Returns: of an empty file nothing.
  /// - Throws: the first thing that is not understood.
  public static func read(_ text: String, file: String) throws(ConfigurationError) -> YAMLNode {
    var reader = YAMLReader(text, file: file)
    if reader.isAtContent, reader.marker("---") { reader.current += 1 }
    guard reader.isAtContent else {
      return YAMLNode(.null, at: Origin(file: file, line: 1, column: 1))
    }
    let node = try reader.block(from: 0)
    if reader.isAtContent, !reader.marker("...") {
      throw reader.issue(
        column: reader.indent,
        reader.marker("---") ? "begins a second document" : "is indented less than what it belongs to")
    }
    return node
  }

  // MARK: - Where we are

  /// How far the current line is indented.
  var indent: Int { lines[current].prefix { $0 == " " }.count }

  /// Goes on to the next line that says something; whether there is one.
  var isAtContent: Bool {
    mutating get {
      while current < lines.count {
        let first = lines[current].first { $0 != " " && $0 != "\t" }
        if let first, first != "#" { return true }
        current += 1
      }
      return false
    }
  }

  private func marker(_ text: String) -> Bool {
    let line = lines[current]
    return line.starts(with: text) && line.dropFirst(3).allSatisfy { $0 == " " }
  }

  func origin(_ line: Int, _ column: Int) -> Origin { Origin(file: file, line: line + 1, column: column + 1) }

  func issue(line: Int? = nil, column: Int, _ message: String, expected: String? = nil) -> ConfigurationError {
    ConfigurationError(issues: [
      ConfigurationIssue(origin: origin(line ?? current, column), key: "", message: message, expected: expected)
    ])
  }

  // MARK: - By indentation

  /// What begins at the current line, which is indented by `least` or more.
  mutating func block(from least: Int) throws(ConfigurationError) -> YAMLNode {
    depth += 1
    defer { depth -= 1 }
    if depth > 64 { throw issue(column: indent, "is nested too deeply") }
    let indent = indent
    try refuseTab(at: indent)
    if isItem(at: indent) { return try list(at: indent) }
    if keyEnd(from: indent) != nil { return try map(at: indent) }
    return try value(from: indent, parent: least - 1)
  }

  private func refuseTab(at column: Int) throws(ConfigurationError) {
    if lines[current][column] == "\t" { throw issue(column: column, "is indented with a tab", expected: "spaces") }
  }

  private func isItem(at column: Int) -> Bool {
    let line = lines[current]
    return column < line.count && line[column] == "-" && (column + 1 == line.count || line[column + 1] == " ")
  }

  private mutating func list(at column: Int) throws(ConfigurationError) -> YAMLNode {
    let origin = origin(current, column)
    var items: [YAMLNode] = []
    while isAtContent, indent == column, isItem(at: column) {
      // The dash is blanked: what is behind it then stands by itself, at its own column.
      lines[current][column] = " "
      let here = current
      guard let next = lines[here].firstIndex(where: { $0 != " " }), lines[here][next] != "#" else {
        items.append(try below(column, at: self.origin(here, column), listsToo: false))
        continue
      }
      if isItem(at: next) || keyEnd(from: next) != nil {
        items.append(try block(from: column + 1))
      } else {
        items.append(try value(from: next, parent: column))
      }
    }
    return YAMLNode(.list(items), at: origin)
  }

  private mutating func map(at column: Int) throws(ConfigurationError) -> YAMLNode {
    let origin = origin(current, column)
    var entries: [YAMLNode.Entry] = []
    while isAtContent, indent == column, !isItem(at: column), !marker("---"), !marker("...") {
      try refuseTab(at: column)
      guard let end = keyEnd(from: column) else {
        throw issue(column: column, "is no entry of the map that it stands in", expected: "name: value")
      }
      var key = String(lines[current][column..<end.key])
      if let quote = key.first, quote == "\"" || quote == "'" {
        key = try quoted(from: column).text
      }
      entries.append(YAMLNode.Entry(key: trimmed(key), value: try value(from: end.value, parent: column)))
    }
    if current < lines.count, isAtContent, indent > column {
      throw issue(column: indent, "is indented more than what it stands beside")
    }
    return YAMLNode(.map(entries), at: origin)
  }

  /// Where the key ends that begins at a column of the current line, and where its value begins; nil: there is no key.
  private func keyEnd(from column: Int) -> (key: Int, value: Int)? {
    let line = lines[current]
    guard column < line.count, !"[{|>!&*%@`#".contains(line[column]) else { return nil }
    var index = column
    if line[column] == "\"" || line[column] == "'" {
      guard let close = line[(column + 1)...].firstIndex(of: line[column]) else { return nil }
      index = close + 1
      while index < line.count, line[index] == " " { index += 1 }
      guard index < line.count, line[index] == ":" else { return nil }
    }
    while index < line.count {
      if line[index] == "#", index > 0, line[index - 1] == " " { return nil }
      if line[index] == ":", index + 1 == line.count || line[index + 1] == " " || line[index + 1] == "\t" {
        return (index, index + 1)
      }
      index += 1
    }
    return nil
  }

  // MARK: - A value

  /// The value whose first character is at or behind a column of the current line.
  /// - Parameter parent: how far what it belongs to is indented: all lines that go on with it are indented more.
  private mutating func value(from start: Int, parent: Int) throws(ConfigurationError) -> YAMLNode {
    var column = start
    var tag: String?
    while true {
      while column < lines[current].count, lines[current][column] == " " || lines[current][column] == "\t" {
        column += 1
      }
      guard column < lines[current].count, lines[current][column] == "!" else { break }
      let word = lines[current][column...].prefix { $0 != " " }
      tag = String(word)
      column += word.count
    }
    let origin = origin(current, column)
    guard column < lines[current].count, lines[current][column] != "#" else {
      current += 1
      var node = try below(parent, at: origin, listsToo: true)
      node.tag = tag ?? node.tag
      return node
    }
    switch lines[current][column] {
    case "&", "*":
      throw issue(
        column: column, "is an anchor or an alias, which are not understood here", expected: "the value itself")
    case "|", ">":
      return YAMLNode(.scalar(try literal(from: column, parent: parent), isPlain: false), tag: tag, at: origin)
    case "\"", "'":
      let (text, end) = try quoted(from: column)
      try finishLine(from: end)
      return YAMLNode(.scalar(text, isPlain: false), tag: tag, at: origin)
    case "[", "{":
      var (node, end) = try flow(from: column, depth: 0)
      try finishLine(from: end)
      node.tag = tag
      return node
    case "%", "@", "`":
      throw issue(column: column, "begins with a character that YAML keeps for itself", expected: "quotes")
    default: return YAMLNode(try plain(from: column, parent: parent), tag: tag, at: origin)
    }
  }

  /// What stands on the lines below a key or a dash.
  private mutating func below(
    _ parent: Int, at origin: Origin, listsToo: Bool
  ) throws(ConfigurationError) -> YAMLNode {
    guard isAtContent else { return YAMLNode(.null, at: origin) }
    // A list may stand right below its key.
    if indent > parent || listsToo && indent == parent && isItem(at: indent) { return try block(from: parent + 1) }
    return YAMLNode(.null, at: origin)
  }

  /// Behind a quote or a brace only a comment may follow.
  private mutating func finishLine(from column: Int) throws(ConfigurationError) {
    let rest = lines[current][column...]
    if let next = rest.firstIndex(where: { $0 != " " && $0 != "\t" }), rest[next] != "#" || next == column {
      throw issue(column: next, "stands behind the end of a value")
    }
    current += 1
  }
}
