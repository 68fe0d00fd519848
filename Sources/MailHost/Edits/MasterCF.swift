/// What a master.cf says: services and their options, without comments, order and layout.
public struct MasterCF: Equatable, Sendable {
  /// A service has no other name than its own and its type: `smtp inet` and `smtp unix` are two.
  public struct Key: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var name: String
    public var type: String

    public var description: String { "\(name) \(type)" }

    public static func < (one: Self, other: Self) -> Bool { (one.name, one.type) < (other.name, other.type) }
  }

  public struct Service: Equatable, Sendable {
    public var key: Key
    /// private, unpriv, chroot, wakeup, maxproc.
    public var fields: [String]
    public var program: String
    /// `-o name=value`; of several with one name the last one counts.
    public var options: [String: String] = [:]
    /// All other words behind the program, such as those of pipe(8).
    public var arguments: [String] = []

    /// What stands behind the name, without the options.
    public var command: String {
      ([key.type] + fields + [program] + arguments).joined(separator: " ")
    }
  }

  public private(set) var services: [Key: Service] = [:]
  /// Lines of fewer than eight words, with which postfix does not start.
  public private(set) var unreadable: [String] = []

  public init(_ text: String) {
    for line in PostfixLine.all(of: text) {
      var words = Self.words(of: line.text)[...]
      guard words.count >= 8 else {
        unreadable.append(line.text)
        continue
      }
      var service = Service(
        key: Key(name: words.removeFirst(), type: words.removeFirst()), fields: Array(words.prefix(5)),
        program: words[words.startIndex + 5])
      words = words.dropFirst(6)
      while let word = words.popFirst() {
        // The rest is of the program that pipe(8) runs.
        if word.hasPrefix("argv=") {
          service.arguments += [word] + words
          break
        }
        guard word.hasPrefix("-o"), let option = word == "-o" ? words.popFirst() : String(word.dropFirst(2)) else {
          service.arguments.append(word)
          continue
        }
        let inner = option.hasPrefix("{") && option.hasSuffix("}") ? String(option.dropFirst().dropLast()) : option
        let parts = inner.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        service.options[trimmed(parts[0])] = parts.count > 1 ? trimmed(parts[1]) : ""
      }
      services[service.key] = service
    }
  }

  /// Words parted by spaces; what is in braces is one.
  private static func words(of text: String) -> [String] {
    var words: [String] = []
    var depth = 0
    for word in text.split(separator: " ") {
      if depth > 0 { words[words.count - 1] += " " + word } else { words.append(String(word)) }
      if depth > 0 || word.hasPrefix("{") {
        depth += word.count { $0 == "{" } - word.count { $0 == "}" }
      }
    }
    return words
  }
}
