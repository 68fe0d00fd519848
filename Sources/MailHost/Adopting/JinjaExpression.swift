/// An expression between the double braces of Jinja, as files of variables have them: names, texts, `~`, `==`, `a if b else c`, and
/// the filters that only hand a value on.
struct JinjaExpression {
  /// Why an expression has no value here.
  struct Unknown: Error, Equatable {
    var text: String
    /// Whether it asks for what is kept secret.
    var isSecret = false
  }

  indirect enum Node: Equatable {
    case literal(YAMLNode.Value)
    case name(String)
    case member(Node, String)
    case filter(Node, String, [Node])
    case joined(Node, Node)
    case equal(Node, Node, isNegated: Bool)
    case choice(Node, condition: Node, otherwise: Node)
  }

  let root: Node

  init(_ text: String) throws(Unknown) {
    var parser = Parser(rest: Array(text)[...], text: text)
    root = try parser.choice()
    parser.skipSpaces()
    guard parser.rest.isEmpty else { throw parser.unknown }
  }

  private struct Parser {
    var rest: ArraySlice<Character>
    let text: String
    var depth = 0

    var unknown: Unknown { Unknown(text: "{{\(text)}} is not understood") }

    mutating func skipSpaces() { rest = rest.drop { $0.isWhitespace } }

    mutating func take(_ sign: String) -> Bool {
      skipSpaces()
      guard rest.starts(with: sign) else { return false }
      // A word ends where it ends.
      if sign.last?.isLetter == true, let next = rest.dropFirst(sign.count).first, Self.isName(next) { return false }
      rest = rest.dropFirst(sign.count)
      return true
    }

    static func isName(_ character: Character) -> Bool {
      character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }

    mutating func choice() throws(Unknown) -> Node {
      depth += 1
      defer { depth -= 1 }
      if depth > 32 { throw unknown }
      let value = try comparison()
      guard take("if") else { return value }
      let condition = try comparison()
      guard take("else") else { throw unknown }
      return .choice(value, condition: condition, otherwise: try choice())
    }

    private mutating func comparison() throws(Unknown) -> Node {
      let left = try joined()
      if take("==") { return .equal(left, try joined(), isNegated: false) }
      if take("!=") { return .equal(left, try joined(), isNegated: true) }
      return left
    }

    private mutating func joined() throws(Unknown) -> Node {
      var value = try filtered()
      while take("~") || take("+") { value = .joined(value, try filtered()) }
      return value
    }

    private mutating func filtered() throws(Unknown) -> Node {
      var value = try primary()
      while true {
        if take("|") {
          let name = word()
          if name.isEmpty { throw unknown }
          value = .filter(value, name, take("(") ? try arguments() : [])
        } else if take(".") {
          let name = word()
          if name.isEmpty { throw unknown }
          value = .member(value, name)
        } else {
          return value
        }
      }
    }

    private mutating func arguments() throws(Unknown) -> [Node] {
      var all: [Node] = []
      while !take(")") {
        all.append(try choice())
        guard take(",") || rest.first == ")" else { throw unknown }
      }
      return all
    }

    private mutating func primary() throws(Unknown) -> Node {
      skipSpaces()
      guard let first = rest.first else { throw unknown }
      if take("(") {
        let inner = try choice()
        guard take(")") else { throw unknown }
        return inner
      }
      if first == "'" || first == "\"" {
        let body = rest.dropFirst()
        guard let end = body.firstIndex(of: first), !body[..<end].contains("\\") else { throw unknown }
        rest = body[(end + 1)...]
        return .literal(.scalar(String(body[..<end]), isPlain: false))
      }
      let name = word()
      if name.isEmpty { throw unknown }
      if name.allSatisfy(\.isNumber) || ["true", "false", "True", "False"].contains(name) {
        return .literal(.scalar(name, isPlain: true))
      }
      return ["none", "None"].contains(name) ? .literal(.null) : .name(name)
    }

    private mutating func word() -> String {
      skipSpaces()
      let word = rest.prefix(while: Self.isName)
      rest = rest.dropFirst(word.count)
      return String(word)
    }
  }
}
