/// A template of a file of the mail host: the part of Mustache that such files need. `{{name}}` is a value, `{{#name}}…{{/name}}` is there
/// when it is true, or once for each row of a list, `{{^name}}…{{/name}}` when it is false or the list is empty. A line that has only such
/// a tag is no line of the file. Values stand as they are: nothing is HTML here.
///
/// Our own, because the library for it (swift-mustache) takes all of Foundation with it: 63 MB of program for these lines. The tests
/// hold both together: on every template they must agree.
///
/// Lines that begin with `#?` are about the setting below them, and not part of the file: see ``Reasons``.
public struct Template: Sendable {
  public struct Invalid: Error, Equatable, Sendable {
    public var text: String
  }

  private indirect enum Part: Sendable {
    case text(Substring)
    case value(String)
    case section(String, inverted: Bool, [Part])
  }

  private let parts: [Part]

  /// - Parameter name: for messages.
  public init(_ text: String, name: String) throws(Invalid) {
    var rest = text[...]
    do {
      parts = try Self.parts(&rest, of: text, until: nil)
    } catch {
      throw Invalid(text: "\(name) is no valid template: \(error.text)")
    }
  }

  /// The text with the values put in.
  /// - Parameters:
  ///   - values: strings, booleans, arrays of such tables.
  ///   - rowNames: what the tables have: there may be none, and the template is checked all the same.
  /// - Throws: where the template asks for what is not among them: a mistyped name would leave a setting empty.
  public func render(
    _ values: [String: Any], rowNames: Set<String>, name: String
  ) throws(Invalid) -> String {
    let unknown = Self.names(in: parts).subtracting(rowNames).subtracting(values.keys)
    guard unknown.isEmpty else {
      throw Invalid(text: "\(name) asks for unknown values: \(unknown.sorted().joined(separator: ", "))")
    }
    var text = ""
    render(parts, [values], to: &text)
    return text
  }

  private func render(_ parts: [Part], _ scopes: [[String: Any]], to text: inout String) {
    // The innermost value of a name counts.
    func value(_ key: String) -> Any? { scopes.last { $0[key] != nil }?[key] }
    for part in parts {
      switch part {
      case .text(let literal): text += literal
      case .value(let key): text += value(key) as? String ?? ""
      case .section(let key, let inverted, let inner):
        let value = value(key)
        let rows = value as? [[String: Any]]
        let isTrue = rows.map { !$0.isEmpty } ?? value as? Bool ?? (value as? String).map { !$0.isEmpty } ?? false
        if inverted {
          if !isTrue { render(inner, scopes, to: &text) }
        } else if let rows {
          for row in rows { render(inner, scopes + [row], to: &text) }
        } else if isTrue {
          render(inner, scopes, to: &text)
        }
      }
    }
  }

  private static func names(in parts: [Part]) -> Set<String> {
    var names: Set<String> = []
    for part in parts {
      switch part {
      case .text: break
      case .value(let key): names.insert(key)
      case .section(let key, _, let inner): names.formUnion(Self.names(in: inner).union([key]))
      }
    }
    return names
  }

  /// Reads up to the end of the section, or of the text.
  private static func parts(
    _ rest: inout Substring, of whole: String, until section: String?
  ) throws(Invalid) -> [Part] {
    var parts: [Part] = []
    while let open = rest.firstRange(of: "{{") {
      guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
        throw Invalid(text: "a tag is not closed: \(rest[open.lowerBound...].prefix(40))")
      }
      let tag = rest[open.upperBound..<close.lowerBound]
      let kind = tag.first ?? " "
      let key = String("#^/!".contains(kind) ? tag.dropFirst() : tag)
      var before = rest[..<open.lowerBound]
      var after = rest[close.upperBound...]
      // A line that has only a section's tag goes, with its end.
      let start = before.lastIndex(of: "\n").map { before.index(after: $0) } ?? before.startIndex
      let isLineStart =
        start > before.startIndex || start == whole.startIndex || whole[whole.index(before: start)] == "\n"
      if "#^/!".contains(kind), isLineStart, before[start...].allSatisfy({ $0 == " " }) {
        let end = after.firstIndex(of: "\n")
        if after[..<(end ?? after.endIndex)].allSatisfy({ $0 == " " }) {
          before = before[..<start]
          after = end.map { after[after.index(after: $0)...] } ?? after[after.endIndex...]
        }
      }
      if !before.isEmpty { parts.append(.text(before)) }
      rest = after
      switch kind {
      case "!": break
      case "#", "^":
        parts.append(
          .section(key, inverted: kind == "^", try Self.parts(&rest, of: whole, until: key)))
      case "/":
        guard key == section else { throw Invalid(text: "{{/\(key)}} closes no section") }
        return parts
      default:
        guard !key.isEmpty, key.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else {
          throw Invalid(text: "{{\(key)}} is no tag")
        }
        parts.append(.value(key))
      }
    }
    if let section { throw Invalid(text: "{{#\(section)}} is not closed") }
    if !rest.isEmpty { parts.append(.text(rest)) }
    return parts
  }
}
