import Mustache

/// A template of a file of the mail host.
///
/// It is Mustache, with every value as it is (nothing is HTML here). Lines that begin with `#?` are about the setting below them, and
/// not part of the file: see ``Reasons``.
public struct Template: Sendable {
  public struct Invalid: Error, Equatable, Sendable {
    public var text: String
  }

  private let template: MustacheTemplate
  private let names: Set<String>

  /// - Parameter name: for messages.
  public init(_ text: String, name: String) throws(Invalid) {
    do {
      template = try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}" + text)
    } catch {
      throw Invalid(text: "\(name) is no valid template: \(error)")
    }
    names = Self.names(in: text)
  }

  /// The text with the values put in.
  /// - Parameters:
  ///   - values: strings, booleans, arrays of such tables.
  ///   - rowNames: what the tables have: they may be none, and the template is checked all the same.
  /// - Throws: where the template asks for what is not among them, which Mustache itself would leave empty.
  public func render(
    _ values: [String: Any], rowNames: Set<String>, name: String
  ) throws(Invalid) -> String {
    let known = rowNames.union(values.keys)
    let unknown = names.subtracting(known)
    guard unknown.isEmpty else {
      throw Invalid(text: "\(name) asks for unknown values: \(unknown.sorted().joined(separator: ", "))")
    }
    return template.render(values)
  }

  /// What stands between double braces, without the sign of a section.
  private static func names(in text: String) -> Set<String> {
    var names: Set<String> = []
    var rest = text[...]
    while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
      let tag = rest[open.upperBound..<close.lowerBound]
      if tag.first != "!" { names.insert(String(tag.drop { "#^/&".contains($0) })) }
      rest = rest[close.upperBound...]
    }
    names.remove(".")
    return names
  }
}
