/// Reads the lines of a file of ours that are neither blank nor comments, in its syntax as far as our templates use it.
struct SettingReader {
  enum Line: Equatable {
    case setting(path: [String], value: String)
    /// More of the value before.
    case continuation(String)
    case nothing
  }

  private let syntax: HostFile.Syntax
  /// Of the file, without its directory.
  private let name: String
  private var sections: [String] = []
  /// Whether the section that was opened last has had nothing yet.
  private var isEmptySection = false
  private var isAtTop = true

  init(_ syntax: HostFile.Syntax, name: String) {
    self.syntax = syntax
    self.name = name
  }

  mutating func read(_ line: Substring) -> Line {
    defer { isAtTop = false }
    let words = trimmed(line)
    let isIndented = line.first?.isWhitespace == true
    switch syntax {
    case .postfixMain, .postfixMap: return isIndented ? .continuation(words) : assignment(words)
    case .postfixMaster: return isIndented ? option(words) : service(words)
    case .dovecot, .rspamd: return nested(words)
    case .redis:
      let parts = words.split(separator: " ", maxSplits: 1).map(trimmed)
      return .setting(path: [parts[0]], value: parts.count > 1 ? parts[1] : "")
    case .unit, .fail2ban, .toml:
      if isIndented, syntax != .toml { return .continuation(words) }
      guard words.hasPrefix("["), words.hasSuffix("]") else { return assignment(words) }
      sections = [words.filter { $0 != "[" && $0 != "]" }]
      return .nothing
    case .lua: return table(words)
    // What is in them is no settings, but steps of one.
    case .sieve, .script: return isAtTop ? .setting(path: [name], value: "") : .nothing
    }
  }

  private func assignment(_ words: String) -> Line {
    let parts = words.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
    return .setting(path: sections + [parts[0]], value: parts.count > 1 ? parts[1] : "")
  }

  /// `smtp inet n - y - - smtpd`.
  private mutating func service(_ words: String) -> Line {
    let fields = words.split { $0.isWhitespace }.map(String.init)
    sections = [fields.prefix(2).joined(separator: " ")]
    return .setting(path: sections, value: fields.dropFirst(2).joined(separator: " "))
  }

  /// `-o name=value`, with which postfix's own programs are called, or more of a command.
  private func option(_ words: String) -> Line {
    words.hasPrefix("-o ") ? assignment(trimmed(words.dropFirst(3))) : .continuation(words)
  }

  /// `name {`, `}`, `name = value`, with a semicolon in rspamd's.
  private mutating func nested(_ words: String) -> Line {
    if words.hasPrefix("}") {
      let path = sections
      if !sections.isEmpty { sections.removeLast() }
      defer { isEmptySection = false }
      return isEmptySection ? .setting(path: path, value: "{ }") : .nothing
    }
    if words.hasSuffix("{") {
      sections.append(unquoted(words.dropLast().filter { $0 != "=" }))
      isEmptySection = true
      return .nothing
    }
    isEmptySection = false
    if words.hasPrefix("!include") { return .setting(path: ["!include"], value: trimmed(words.dropFirst(8))) }
    guard case .setting(var path, let value) = assignment(words) else { return .nothing }
    path[path.count - 1] = unquoted(path[path.count - 1])
    return .setting(path: path, value: syntax == .rspamd && value.hasSuffix(";") ? String(value.dropLast()) : value)
  }

  /// Of a program: `name = 5,`, and the lines with braces of the tables that such are in. All else is steps.
  private mutating func table(_ words: String) -> Line {
    if words.hasSuffix("= {") {
      sections.append(
        words.split(separator: " ").dropLast(2).last.map(String.init)?.filter { !"[]\"".contains($0) } ?? "")
      return .nothing
    }
    if words == "}" || words == "}," {
      if !sections.isEmpty { sections.removeLast() }
      return .nothing
    }
    guard !sections.isEmpty, words.hasSuffix(","),
      case .setting(let path, let value) = assignment(String(words.dropLast())), Int(value) != nil
    else { return .nothing }
    return .setting(path: path, value: value)
  }

  private func unquoted(_ text: String) -> String { trimmed(text).filter { $0 != "\"" } }
}
