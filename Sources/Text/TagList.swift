/// `name=value` pairs between semicolons, as DKIM and DMARC write them (RFC 6376, section 3.2). Of several of one name the first counts.
public struct TagList: Equatable, Sendable {
  private var tags: [(name: String, value: String)] = []

  public init(_ text: some StringProtocol) {
    for part in text.split(separator: ";") {
      guard let equals = part.firstIndex(of: "=") else { continue }
      let name = part[..<equals].filter { !$0.isWhitespace }
      guard self[String(name)] == nil else { continue }
      var value = part[part.index(after: equals)...]
      while value.first?.isWhitespace ?? false { value = value.dropFirst() }
      while value.last?.isWhitespace ?? false { value = value.dropLast() }
      tags.append((String(name), String(value)))
    }
  }

  /// The first tag's name: `v` where the text is a record of its kind.
  public var firstName: String? { tags.first?.name }

  public var names: [String] { tags.map(\.name) }

  /// Without blanks at its ends.
  public subscript(_ name: String) -> String? { tags.first { $0.name == name }?.value }

  /// A value in which blanks mean nothing, such as base64.
  public func compact(_ name: String) -> String? { self[name]?.filter { !$0.isWhitespace } }

  /// Words between colons, in lower case.
  public func list(_ name: String) -> [String]? {
    self[name]?.split(separator: ":").map { $0.filter { !$0.isWhitespace }.lowercased() }
  }

  public static func == (one: TagList, other: TagList) -> Bool {
    one.tags.elementsEqual(other.tags) { $0.name == $1.name && $0.value == $1.value }
  }
}
