/// The annotated `mailhost.toml` of the package: every key with its default, or an example, and what it is for.
///
/// `# text` is a comment, `key = value` is needed, `#key = value` has the default. `# example` at the end of one marks what has no
/// default; of a section, all that is in it.
public struct SettingsGuide: Sendable {
  public enum Kind: Sendable { case needed, standard, example }

  public struct Entry: Equatable, Sendable {
    /// With its table: `limits.burst`. A table of the administrator's own names (`postfix.main`) is one entry.
    public var key: String
    /// As it is written in the file.
    public var value: String
    /// What `value` is.
    public var kind: Kind
    public var text: String
  }

  public private(set) var entries: [Entry] = []

  public init(_ text: String) {
    var section = (name: "", isExample: false, text: "")
    var comment: [String] = []
    var isInComment = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty || line.hasPrefix("# ") {
        if !isInComment || line.isEmpty { comment = [] }
        isInComment = !line.isEmpty
        if isInComment { comment.append(trimmed(line.dropFirst(2))) }
        continue
      }
      isInComment = false
      let isOff = line.hasPrefix("#")
      var words = trimmed(isOff ? line.dropFirst() : line)
      let isExample = words.hasSuffix("# example")
      if isExample { words = trimmed(words.dropLast(9)) }
      if words.hasPrefix("[") {
        section = (words.filter { $0 != "[" && $0 != "]" }, isExample, comment.joined(separator: " "))
        continue
      }
      let parts = words.split(separator: "=", maxSplits: 1).map(trimmed)
      guard parts.count == 2 else { continue }
      let isOwn = section.name.hasPrefix("postfix.")
      let key = isOwn ? section.name : section.name.isEmpty ? parts[0] : "\(section.name).\(parts[0])"
      let text = comment.isEmpty ? section.text : comment.joined(separator: " ")
      let kind: Kind = isExample || section.isExample ? .example : isOff ? .standard : .needed
      entries.append(Entry(key: key, value: isOwn ? words : parts[1], kind: kind, text: text))
    }
  }

  /// The guide for one host: defaults that follow from other settings are its own.
  public init(_ text: String, of settings: HostSettings) {
    self.init(text)
    for index in entries.indices where entries[index].kind == .standard {
      entries[index].value = entries[index].value.replacing("mail.example.org", with: settings.hostName)
        .replacing("\"/vault/", with: "\"\(settings.vault)/")
    }
  }

  /// Those that a word may mean, with their table or without it.
  public func search(_ word: String) -> [Entry] {
    let exact = entries.filter { $0.key == word }
    return exact.isEmpty ? entries.filter { $0.key.hasSuffix("." + word) || $0.key.hasPrefix(word + ".") } : exact
  }
}
