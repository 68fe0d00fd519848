import CLinux
import Glibc

/// What the place that messages go to can show.
struct Terminal {
  /// Whether standard error is a terminal that can move its cursor.
  let isLive: Bool
  let hasColour: Bool
  /// Columns; nil when nobody counts them.
  let width: Int?

  init() {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    isLive = isatty(2) == 1 && variable("TERM").map { $0 != "dumb" && !$0.isEmpty } ?? false
    hasColour = isLive && (variable("NO_COLOR") ?? "").isEmpty
    var size = winsize()
    // A serial console says 0: it is taken for the usual 80.
    let known = isLive && ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    width = isLive ? (known ? Int(size.ws_col) : 80) : nil
  }

  enum Colour: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case dim = "2"
    case bold = "1"
  }

  func coloured(_ text: String, _ colour: Colour) -> String {
    hasColour ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
  }

  /// One line, cut to the width with an ellipsis in ASCII; uncut where nobody counts columns.
  func fitted(_ text: String) -> String {
    guard let width, text.count >= width, width > 8 else { return text }
    return text.prefix(width - 4) + "..."
  }

  /// Wrapped at words, continued lines indented. What is between backticks is a command to copy: it counts as one word, and one
  /// that is too long stays whole.
  func wrapped(_ text: String, indent: Int) -> String {
    guard let width, width > indent + 20 else { return text }
    var lines: [String] = []
    var line = ""
    for word in Self.words(of: text) {
      let room = width - 1 - (lines.isEmpty ? 0 : indent)
      if !line.isEmpty && line.count + 1 + word.count > room {
        lines.append(line)
        line = word
      } else {
        line += line.isEmpty ? word : " \(word)"
      }
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

/// Writes all of it, whatever the descriptor does. A reader that has gone is not our trouble.
func emit(_ text: String, to descriptor: Int32) {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    if count < 0 && errno == EAGAIN {
      // Whoever shares the descriptor has made it non-blocking.
      var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&entry, 1, 1000)
      continue
    }
    guard count > 0 else { return }
    rest = rest.dropFirst(count)
  }
}

func say(_ line: String) { emit(line + "\n", to: 1) }
func tell(_ line: String) { emit(line + "\n", to: 2) }

extension String {
  func padded(_ width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }

  func paddedLeft(_ width: Int) -> String {
    count >= width ? self : String(repeating: " ", count: width - count) + self
  }
}
