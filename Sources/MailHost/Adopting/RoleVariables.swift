import MailbootCore

/// The variables of a host of the Ansible role, from one file or several, and what their values come to.
struct RoleVariables {
  struct Variable: Equatable {
    var name: String
    var value: YAMLNode
    /// Which of two that differ counts: that of the higher rank; of the same rank neither does.
    var rank: Int
    /// Another of the same rank that says something else.
    var rival: Origin?
  }

  private(set) var all: [String: Variable] = [:]

  /// Lays a file's variables over those that are there.
  mutating func add(_ root: YAMLNode, rank: Int) throws(ConfigurationError) {
    switch root.value {
    case .null: return
    case .map(let entries):
      for entry in entries { add(entry, rank: rank) }
    default:
      throw ConfigurationError(issues: [
        ConfigurationIssue(
          origin: root.origin, key: "", message: "is no file of variables", expected: "lines of name: value")
      ])
    }
  }

  private mutating func add(_ entry: YAMLNode.Entry, rank: Int) {
    var variable = Variable(name: entry.key, value: entry.value, rank: rank)
    if let old = all[entry.key] {
      if old.rank > rank { return }
      // In one file the last one counts, as for Ansible.
      if old.rank == rank, old.value.origin.file != entry.value.origin.file, !old.value.saysTheSame(as: entry.value) {
        variable.rival = old.value.origin
      }
    }
    all[entry.key] = variable
  }

  // MARK: - Values

  /// Whether a name is that of a secret, or its value says that it is one.
  func isSecret(_ variable: Variable) -> Bool {
    let secretEnds = ["_pw", "_password", "_passwd", "_passphrase", "_pwhash", "_secret", "_sshkey", "_token"]
    if variable.name.hasPrefix("vault_") || secretEnds.contains(where: variable.name.hasSuffix) { return true }
    return mentionsSecret(variable.value)
  }

  private func mentionsSecret(_ node: YAMLNode) -> Bool {
    node.tag == "!vault" || node.text.map { $0.contains("{{") && $0.contains("vault_") } ?? false
  }

  /// What a variable comes to, with all Jinja in it put in; nil: there is none of that name.
  func value(_ name: String) throws(JinjaExpression.Unknown) -> YAMLNode? {
    guard let variable = all[name] else { return nil }
    return try resolved(variable.value, [name])
  }

  /// - Parameter asked: the names that led here, so that a circle is noticed.
  func resolved(_ node: YAMLNode, _ asked: [String]) throws(JinjaExpression.Unknown) -> YAMLNode {
    if node.tag == "!vault" { throw JinjaExpression.Unknown(text: "it is encrypted", isSecret: true) }
    var node = node
    switch node.value {
    case .null: break
    case .scalar(let text, _): if node.tag != "!unsafe" { node.value = try resolved(text, node.value, asked) }
    case .list(let items):
      var values: [YAMLNode] = []
      for item in items { values.append(try resolved(item, asked)) }
      node.value = .list(values)
    case .map(let entries):
      var values: [YAMLNode.Entry] = []
      for entry in entries { values.append(.init(key: entry.key, value: try resolved(entry.value, asked))) }
      node.value = .map(values)
    }
    return node
  }

  private func resolved(
    _ text: String, _ value: YAMLNode.Value, _ asked: [String]
  ) throws(JinjaExpression.Unknown) -> YAMLNode.Value {
    if text.contains("{%") { throw JinjaExpression.Unknown(text: "it is a program ({% … %})") }
    guard text.contains("{{") else { return value }
    var whole = ""
    var rest = text[...]
    while let open = rest.firstRange(of: "{{") {
      guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
        throw JinjaExpression.Unknown(text: "it has {{ without }}")
      }
      let inner = String(rest[open.upperBound..<close.lowerBound])
      let result = try evaluate(try JinjaExpression(inner).root, asked)
      let (before, after) = (rest[..<open.lowerBound], rest[close.upperBound...])
      // Alone, it is what it comes to, be it a list.
      if whole.isEmpty, trimmed(before).isEmpty, trimmed(after).isEmpty { return result }
      whole += before + (try Self.text(of: result, in: inner))
      rest = after
    }
    return .scalar(whole + rest, isPlain: false)
  }

  private static func text(of value: YAMLNode.Value, in expression: String) throws(JinjaExpression.Unknown) -> String {
    switch value {
    case .null: return ""
    case .scalar(let text, _): return text
    default: throw JinjaExpression.Unknown(text: "{{\(expression)}} is no text")
    }
  }

  private func evaluate(
    _ node: JinjaExpression.Node, _ asked: [String]
  ) throws(JinjaExpression.Unknown) -> YAMLNode.Value {
    switch node {
    case .literal(let value): return value
    case .name(let name):
      if asked.contains(name) { throw JinjaExpression.Unknown(text: "\(name) needs itself") }
      if name.hasPrefix("vault_") { throw JinjaExpression.Unknown(text: "\(name) is secret", isSecret: true) }
      guard let variable = all[name] else { throw JinjaExpression.Unknown(text: "\(name) is not set") }
      if let rival = variable.rival {
        throw JinjaExpression.Unknown(text: "\(name) is something else in \(rival.file):\(rival.line)")
      }
      return try resolved(variable.value, asked + [name]).value
    case .member(let base, let name):
      guard case .map(let entries) = try evaluate(base, asked), let entry = entries.last(where: { $0.key == name })
      else {
        throw JinjaExpression.Unknown(text: "there is no .\(name)")
      }
      return entry.value.value
    case .filter(let base, let name, let arguments): return try filter(base, name, arguments, asked)
    case .joined(let left, let right):
      let (one, other) = (try evaluate(left, asked), try evaluate(right, asked))
      if case .list(let items) = one, case .list(let more) = other { return .list(items + more) }
      return .scalar(try Self.text(of: one, in: " ~ ") + Self.text(of: other, in: " ~ "), isPlain: false)
    case .equal(let left, let right, let isNegated):
      let isEqual = Self.isEqual(try evaluate(left, asked), try evaluate(right, asked))
      return .scalar(isEqual != isNegated ? "true" : "false", isPlain: true)
    case .choice(let value, let condition, let otherwise):
      return try evaluate(Self.isTrue(try evaluate(condition, asked)) ? value : otherwise, asked)
    }
  }

  private func filter(
    _ base: JinjaExpression.Node, _ name: String, _ arguments: [JinjaExpression.Node], _ asked: [String]
  ) throws(JinjaExpression.Unknown) -> YAMLNode.Value {
    if name == "default" || name == "d" {
      let fallback = arguments.first ?? .literal(.scalar("", isPlain: false))
      let isForEmpty = arguments.count > 1 ? Self.isTrue(try evaluate(arguments[1], asked)) : false
      if case .name(let variable) = base, all[variable] == nil { return try evaluate(fallback, asked) }
      let value = try evaluate(base, asked)
      return isForEmpty && !Self.isTrue(value) ? try evaluate(fallback, asked) : value
    }
    let value = try evaluate(base, asked)
    switch (name, value) {
    case ("string", _), ("bool", _), ("int", _), ("list", .list), ("mandatory", _): return value
    case ("lower", .scalar(let text, _)): return .scalar(text.lowercased(), isPlain: false)
    case ("upper", .scalar(let text, _)): return .scalar(text.uppercased(), isPlain: false)
    case ("trim", .scalar(let text, _)): return .scalar(trimmed(text), isPlain: false)
    case ("join", .list(let items)):
      let separator = try arguments.first.map { node throws(JinjaExpression.Unknown) in
        try Self.text(of: evaluate(node, asked), in: "join")
      }
      return .scalar(items.compactMap(\.text).joined(separator: separator ?? ""), isPlain: false)
    case ("first", .list(let items)): return items.first?.value ?? .null
    default: throw JinjaExpression.Unknown(text: "the filter \(name) is not understood")
    }
  }

  private static func isTrue(_ value: YAMLNode.Value) -> Bool {
    switch value {
    case .null: false
    case .scalar(let text, let isPlain):
      isPlain ? !["no", "false", "off", "0"].contains(text.lowercased()) : !text.isEmpty
    case .list(let items): !items.isEmpty
    case .map(let entries): !entries.isEmpty
    }
  }

  private static func isEqual(_ one: YAMLNode.Value, _ other: YAMLNode.Value) -> Bool {
    if case .scalar(let text, _) = one, case .scalar(let otherText, _) = other { return text == otherText }
    return one == other
  }
}

extension YAMLNode {
  /// Whether the values are the same, wherever they stand.
  func saysTheSame(as other: YAMLNode) -> Bool {
    guard tag == other.tag else { return false }
    switch (value, other.value) {
    case (.list(let items), .list(let others)):
      return items.count == others.count && zip(items, others).allSatisfy { $0.saysTheSame(as: $1) }
    case (.map(let entries), .map(let others)):
      return entries.count == others.count
        && zip(entries, others).allSatisfy { $0.key == $1.key && $0.value.saysTheSame(as: $1.value) }
    default: return value == other.value
    }
  }
}
