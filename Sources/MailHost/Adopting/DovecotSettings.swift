/// What `doveconf -n` printed, in either dialect: settings with the sections that they stand in.
struct DovecotSettings {
  /// By their sections and name: `plugin/sieve`, `sieve_script personal/path`, `mail_location`.
  private(set) var values: [String: String] = [:]

  init(_ text: String) {
    var sections: [String] = []
    for line in textLines(text) {
      let line = trimmed(line)
      if line.isEmpty || line.hasPrefix("#") { continue }
      if line == "}" {
        _ = sections.popLast()
      } else if line.hasSuffix("{") {
        sections.append(trimmed(line.dropLast()))
      } else if let sign = line.firstIndex(of: "=") {
        let name = (sections + [trimmed(line[..<sign])]).joined(separator: "/")
        let value = trimmed(line[line.index(after: sign)...])
        // A value that begins or ends with a space is printed in quotes.
        let isQuoted = value.count > 1 && value.hasPrefix("\"") && value.hasSuffix("\"")
        values[name] = isQuoted ? trimmed(value.dropFirst().dropLast()) : value
      }
    }
  }

  subscript(name: String) -> String? { values[name] }

  /// The directory that a path with one directory a domain, and in it one a user, begins with.
  /// - Returns: nil when it is laid out otherwise.
  static func top(ofPath path: String) -> String? {
    let layouts = ["/%d/%n", "/%{user | domain}/%{user | username}", "/%{user|domain}/%{user|username}"]
    for layout in layouts {
      guard let range = path.firstRange(of: layout) else { continue }
      let (top, rest) = (path[..<range.lowerBound], path[range.upperBound...])
      return top.hasPrefix("/") && (rest.isEmpty || rest.hasPrefix("/")) ? String(top) : nil
    }
    return nil
  }
}
