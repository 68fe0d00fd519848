import CLinux
import Glibc

/// What the place that messages go to can show.
public struct Terminal: Sendable {
  /// Whether the descriptor is a terminal that can move its cursor.
  public let isLive: Bool
  public let hasColour: Bool
  /// Columns; nil when nobody counts them.
  public let width: Int?

  /// - Parameter descriptor: where messages go to; usually standard error.
  public init(descriptor: Int32 = 2) {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    isLive = isatty(descriptor) == 1 && variable("TERM").map { $0 != "dumb" && !$0.isEmpty } ?? false
    hasColour = isLive && (variable("NO_COLOR") ?? "").isEmpty
    var size = winsize()
    // A serial console says 0: it is taken for the usual 80.
    let known = isLive && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    width = isLive ? (known ? Int(size.ws_col) : 80) : nil
  }

  /// For text that has the same lines wherever it goes, also into a file: no colours, no line longer than `columns`.
  public init(columns: Int) {
    isLive = false
    hasColour = false
    // The last column of a terminal stays free.
    width = columns + 1
  }

  public enum Colour: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case dim = "2"
    case bold = "1"
  }

  public func coloured(_ text: String, _ colour: Colour) -> String {
    hasColour ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
  }

  /// One line, cut to the width with an ellipsis in ASCII; uncut where nobody counts columns.
  public func fitted(_ text: String) -> String {
    guard let width, text.count >= width, width > 8 else { return text }
    return text.prefix(width - 4) + "..."
  }

  /// Wrapped at words, continued lines indented; blanks at its beginning stay. What is between backticks is a command to copy: it counts as one word, and one
  /// that is too long stays whole.
  public func wrapped(_ text: String, indent: Int) -> String {
    guard let width, width > indent + 20 else { return text }
    var lines: [String] = []
    var line = String(text.prefix { $0 == " " })
    var hasWord = false
    for word in Self.words(of: String(text.dropFirst(line.count))) {
      let room = width - 1 - (lines.isEmpty ? 0 : indent)
      if hasWord && line.count + 1 + word.count > room {
        lines.append(line)
        line = word
      } else {
        line += hasWord ? " \(word)" : word
      }
      hasWord = true
    }
    lines.append(line)
    return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
  }

  private static func words(of text: String) -> [String] {
    var words: [String] = []
    var inCommand = false
    for part in text.split(separator: " ", omittingEmptySubsequences: false) {
      if inCommand { words[words.count - 1] += " " + part } else { words.append(String(part)) }
      if part.count(where: { $0 == "`" }) % 2 == 1 { inCommand.toggle() }
    }
    return words
  }
}
