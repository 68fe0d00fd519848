import MailbootCore
import Text

/// What was found of an existing host: settings with where each came from, and what could not be taken over.
public struct Adoption: Equatable, Sendable {
  public struct Found: Equatable, Sendable {
    /// `mail_domains`, `smarthost.host`.
    public var key: String
    /// Its place is that of the source, so that what is wrong with it is shown there.
    public var node: ConfigurationNode
    /// For people: `group_vars/all.yml:12`, `postfix: myhostname`.
    public var source: String

    /// `mail_domains = ["example.org"]`, for people.
    public var line: String { "\(key) = \(node.toml)" }
  }

  /// Something that was not taken over.
  public struct Note: Equatable, Sendable {
    public var name: String
    public var source: String
    /// Empty where nothing more is known than that it is none of ours.
    public var reason: String
  }

  public var found: [Found] = []
  /// What the settings need and nothing says.
  public var missing: [Note] = []
  public var secrets: [Note] = []
  public var ignored: [Note] = []
  /// What will be otherwise than it is, one line each.
  public var changes: [String] = []

  public init() {}

  mutating func add(_ key: String, _ value: ConfigurationNode.Value, at origin: Origin, from source: String) {
    found.removeAll { $0.key == key }
    found.append(Found(key: key, node: ConfigurationNode(value, at: origin), source: source))
  }

  /// The settings that it comes to.
  /// - Throws: what is not valid, with its place in the source; what is missing is among it.
  public func settings(_ origin: Origin) throws(ConfigurationError) -> HostSettings {
    var root = ConfigurationNode(.table([:]), at: origin)
    for item in found {
      var node = item.node
      for name in item.key.split(separator: ".").reversed() {
        node = ConfigurationNode(.table([String(name): node]), at: item.node.origin)
      }
      root = root.merged(with: node)
    }
    return try HostSettings(decoding: root)
  }

  /// With examples for what is missing, so that all else can be looked at.
  public var completed: Adoption {
    var whole = self
    let examples = ["mail_server_hostname": "mail.example.org", "admin_email": "alice@example.org"]
    for note in missing {
      whole.add(
        note.name, .string(examples[note.name] ?? ""), at: Origin(file: "an example", line: 0, column: 0),
        from: "nowhere")
    }
    return whole
  }

  // MARK: - The file

  /// The text of mailhost.toml.
  public var toml: String {
    var lines = ["# Written by `mailhost adopt` from the host as it was. All keys: mailhost.toml(5)."]
    for note in missing {
      lines += ["", "# \(note.reason)", "# \(note.name) = "]
    }
    for item in found where !item.key.contains(".") {
      lines += ["", "# From \(visibleInLine(item.source)).", "\(tomlKey(item.key)) = \(item.node.toml)"]
    }
    var section = ""
    for item in found.filter({ $0.key.contains(".") }) {
      let path = item.key.split(separator: ".").map(String.init)
      let name = path.dropLast().map(tomlKey).joined(separator: ".")
      lines.append("")
      if name != section { lines.append("[\(name)]") }
      section = name
      lines += ["# From \(visibleInLine(item.source)).", "\(tomlKey(path.last ?? "")) = \(item.node.toml)"]
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ConfigurationNode {
  /// As TOML has it, on one line.
  var toml: String {
    switch value {
    case .string(let text): tomlString(text)
    case .integer(let number): String(number)
    case .double(let number): String(number)
    case .boolean(let flag): flag ? "true" : "false"
    case .temporal: "\"\""
    case .array(let items): "[" + items.map(\.toml).joined(separator: ", ") + "]"
    case .table(let members):
      "{ " + members.sorted { $0.key < $1.key }.map { "\(tomlKey($0.key)) = \($0.value.toml)" }.joined(separator: ", ")
        + " }"
    }
  }
}
