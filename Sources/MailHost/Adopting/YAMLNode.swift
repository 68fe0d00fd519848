import MailbootCore

/// A value of a file of Ansible's variables, with its place.
public struct YAMLNode: Equatable, Sendable {
  public struct Entry: Equatable, Sendable {
    public var key: String
    public var value: YAMLNode
  }

  public indirect enum Value: Equatable, Sendable {
    case null
    /// - Parameter isPlain: without quotes, so that `yes` and `5` are no texts.
    case scalar(String, isPlain: Bool)
    case list([YAMLNode])
    /// In the order of the file.
    case map([Entry])
  }

  public var value: Value
  /// With its exclamation mark, as `!vault`.
  public var tag: String?
  public var origin: Origin

  public init(_ value: Value, tag: String? = nil, at origin: Origin) {
    self.value = value
    self.tag = tag
    self.origin = origin
  }

  /// A text; of a plain scalar as it is written.
  public var text: String? {
    if case .scalar(let text, _) = value { text } else { nil }
  }

  /// A truth value as Ansible (YAML 1.1, and its filter `bool`) takes it, in quotes or not.
  public var boolean: Bool? {
    switch text?.lowercased() {
    case "yes", "true", "on": true
    case "no", "false", "off": false
    default: nil
    }
  }

  /// Nothing, or an empty text.
  public var isEmpty: Bool { value == .null || text == "" }

  public subscript(key: String) -> YAMLNode? {
    guard case .map(let entries) = value else { return nil }
    return entries.last { $0.key == key }?.value
  }

  /// What of YAML's plain scalars is nothing.
  static func plain(_ text: String) -> Value {
    ["", "~", "null", "Null", "NULL"].contains(text) ? .null : .scalar(text, isPlain: true)
  }
}
