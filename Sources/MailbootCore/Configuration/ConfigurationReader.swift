import Text

/// Reads one table: typed access by key, noting every issue and, at the end, every key nobody asked for.
package struct TableReader {
  package let path: String
  package let origin: Origin
  private let entries: [String: ConfigurationNode]
  private var known: Set<String> = []
  package var issues: [ConfigurationIssue] = []

  package init(_ node: ConfigurationNode, path: String) {
    self.path = path
    origin = node.origin
    if case .table(let entries) = node.value {
      self.entries = entries
    } else {
      entries = [:]
      issues.append(
        ConfigurationIssue(
          origin: node.origin, key: path, message: "is \(node.typeName)", expected: "a table, [\(path)]"))
    }
  }

  /// What is in it, in the order of its places.
  package var keys: [String] {
    entries.sorted { ($0.value.origin.line, $0.key) < ($1.value.origin.line, $1.key) }.map(\.key)
  }

  package func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// The raw node; the key counts as known.
  package mutating func node(_ key: String) -> ConfigurationNode? {
    known.insert(key)
    return entries[key]
  }

  package mutating func note(_ node: ConfigurationNode, _ key: String, _ message: String, expected: String? = nil) {
    issues.append(ConfigurationIssue(origin: node.origin, key: name(key), message: message, expected: expected))
  }

  package mutating func string(
    _ key: String, expected: String, where valid: (String) -> Bool = { !$0.isEmpty }
  ) -> String? {
    guard let node = node(key) else { return nil }
    guard case .string(let text) = node.value else {
      note(node, key, "is \(node.typeName)", expected: expected)
      return nil
    }
    // A NUL would cut the value short in every C call below us.
    guard !text.utf8.contains(0), valid(text) else {
      note(node, key, "\"\(text)\" is not valid", expected: expected)
      return nil
    }
    return text
  }

  package mutating func path(_ key: String, example: String) -> String? {
    string(key, expected: "an absolute path such as \"\(example)\"", where: Self.isPath)
  }

  package static func isPath(_ text: String) -> Bool {
    text.hasPrefix("/") && !text.split(separator: "/").contains("..")
  }

  package static func isMountPoint(_ text: String) -> Bool { isPath(text) && text.contains { $0 != "/" } }

  /// A block device: a path or one of udev's names.
  package mutating func device(_ key: String, example: String) -> String? {
    let expected = "a path such as \"\(example)\", or \"UUID=…\", \"LABEL=…\", \"PARTUUID=…\""
    return string(key, expected: expected) { text in
      if Self.isPath(text) { return true }
      return ["UUID=", "LABEL=", "PARTUUID="].contains { text.hasPrefix($0) && text.count > $0.count }
    }
  }

  package mutating func boolean(_ key: String) -> Bool? {
    guard let node = node(key) else { return nil }
    guard case .boolean(let flag) = node.value else {
      note(node, key, "is \(node.typeName)", expected: "true or false")
      return nil
    }
    return flag
  }

  package mutating func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let node = node(key) else { return nil }
    let expected = "an integer from \(range.lowerBound) to \(range.upperBound)"
    guard case .integer(let number) = node.value else {
      note(node, key, "is \(node.typeName)", expected: expected)
      return nil
    }
    guard range.contains(number) else {
      note(node, key, "\(number) is out of range", expected: expected)
      return nil
    }
    return number
  }

  package mutating func strings(_ key: String, expected: String) -> [String]? {
    guard let node = node(key) else { return nil }
    guard case .array(let items) = node.value else {
      note(node, key, "is \(node.typeName)", expected: expected)
      return nil
    }
    var texts: [String] = []
    for item in items {
      guard case .string(let text) = item.value else {
        note(item, key, "has an element that is \(item.typeName)", expected: expected)
        return nil
      }
      guard !text.isEmpty, !text.utf8.contains(0) else {
        note(item, key, "has an element that is \(text.isEmpty ? "empty" : "not valid")", expected: expected)
        return nil
      }
      texts.append(text)
    }
    return texts
  }

  package mutating func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _ type: Choice.Type) -> Choice?
  where Choice.RawValue == String {
    let expected = "one of " + Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    return string(key, expected: expected) { Choice(rawValue: $0) != nil }.flatMap(Choice.init(rawValue:))
  }

  /// A table below this one, read by `body`; its issues are taken over.
  package mutating func table(_ key: String, _ body: (inout TableReader) -> Void) {
    guard let node = node(key) else { return }
    var reader = TableReader(node, path: name(key))
    // In what is no table every key would be missing.
    if reader.issues.isEmpty { body(&reader) }
    issues += reader.finish()
  }

  /// An array of tables; nil when the key is not there.
  package mutating func tables<Element>(_ key: String, _ body: (inout TableReader) -> Element?) -> [Element]? {
    guard let node = node(key) else { return nil }
    guard case .array(let items) = node.value else {
      note(node, key, "is \(node.typeName)", expected: "an array of tables, [[\(name(key))]]")
      return nil
    }
    var elements: [Element] = []
    for (index, item) in items.enumerated() {
      var reader = TableReader(item, path: "\(name(key))[\(index + 1)]")
      // In what is no table every key would be missing.
      if reader.issues.isEmpty, let element = body(&reader) { elements.append(element) }
      issues += reader.finish()
    }
    return elements
  }

  /// A key that must be there.
  package mutating func require<Value>(_ key: String, _ value: Value?, expected: String) -> Value? {
    if value == nil, entries[key] == nil {
      issues.append(
        ConfigurationIssue(origin: origin, key: name(key), message: "is missing", expected: expected))
    }
    return value
  }

  /// All issues, with one for each key that was never asked for.
  package func finish() -> [ConfigurationIssue] {
    var all = issues
    for (key, node) in entries where !known.contains(key) {
      let near = known.min { editDistance($0, key) < editDistance($1, key) }
      let guess = near.flatMap { editDistance($0, key) <= 3 ? "; did you mean \"\($0)\"?" : nil }
      let list = "one of " + known.sorted().joined(separator: ", ")
      all.append(
        ConfigurationIssue(
          origin: node.origin, key: name(key), message: "is not a known key" + (guess ?? ""),
          expected: guess == nil ? list : nil))
    }
    return all
  }
}
