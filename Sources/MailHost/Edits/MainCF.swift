/// What a main.cf says: parameters, without comments, order and layout.
public struct MainCF: Equatable, Sendable {
  public struct Parameter: Equatable, Sendable {
    public var name: String
    /// On one line, each run of white space one space.
    public var value: String
    /// From 1.
    public var line: Int
  }

  /// One parameter that two files have differently; nil where a file does not have it.
  public struct Change: Equatable, Sendable {
    public var name: String
    public var old: String?
    public var new: String?
  }

  /// As they stand in the file; of several with one name the last one counts.
  public private(set) var parameters: [Parameter] = []
  /// Lines without a name and a `=`, with which postfix does not start.
  public private(set) var unreadable: [String] = []
  /// The parameters that count.
  public private(set) var values: [String: String] = [:]

  public init(_ text: String) {
    for line in PostfixLine.all(of: text) {
      guard let sign = line.text.firstIndex(of: "="), case let name = trimmed(line.text[..<sign]), !name.isEmpty,
        !name.contains(where: isSpace)
      else {
        unreadable.append(line.text)
        continue
      }
      let value = trimmed(line.text[line.text.index(after: sign)...])
      parameters.append(Parameter(name: name, value: value, line: line.number))
      values[name] = value
    }
  }

  /// Whether postfix would be told the same.
  public func saysTheSame(as other: MainCF) -> Bool { values == other.values && unreadable == other.unreadable }

  /// What another file says otherwise, by name.
  public func changes(to other: MainCF) -> [Change] {
    Set(values.keys).union(other.values.keys).sorted().compactMap { name in
      values[name] == other.values[name] ? nil : Change(name: name, old: values[name], new: other.values[name])
    }
  }

  /// The text with a parameter set, as `postconf -e` does it: in its place, else at the end; all else stays as it is.
  public static func setting(_ name: String, to value: String, in text: String) -> String {
    var lines = textLines(text)
    let entry = value.isEmpty ? "\(name) =" : "\(name) = \(value)"
    guard let place = MainCF(text).parameters.last(where: { $0.name == name })?.line else {
      if lines.last?.isEmpty == true { lines.removeLast() }
      return (lines + [entry, ""]).joined(separator: "\n")
    }
    lines[place - 1] = entry
    // The lines that the old value went on in; comments between them are kept.
    var index = place
    while index < lines.count, let first = lines[index].first, isSpace(first) || first == "#" {
      let isComment = trimmed(lines[index]).hasPrefix("#")
      if isComment || trimmed(lines[index]).isEmpty { index += 1 } else { lines.remove(at: index) }
    }
    return lines.joined(separator: "\n")
  }
}

extension MainCF.Change: CustomStringConvertible {
  /// `name: old → new`, for people.
  public var description: String {
    func shown(_ value: String?) -> String {
      guard let value else { return "(not set)" }
      return value.isEmpty ? "(empty)" : value
    }
    return "\(name): \(shown(old)) → \(shown(new))"
  }
}
