import CLinux
import Console
import Glibc

/// A text that is shown again and again in the same place of a terminal: each time in one write, line by line over the old one, so
/// that nothing flickers, and cut to the window, so that no line wraps and moves the others.
final class StatusScreen {
  private var shown = 0

  /// Nil where standard output is no terminal that can move its cursor.
  init?() {
    let name = getenv("TERM").map { String(cString: $0) } ?? ""
    guard isatty(1) == 1, !name.isEmpty, name != "dumb" else { return nil }
  }

  func draw(_ text: String) {
    // Asked each time: windows change.
    let (columns, rows) = Self.size()
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(rows - 1)
    var output = shown > 0 ? "\u{1b}[\(shown)A" : ""
    for line in lines { output += Self.fitted(line, columns) + "\u{1b}[K\n" }
    output += "\u{1b}[J"
    emit(output, to: 1)
    shown = lines.count
  }

  /// The text stays, and what is written next goes below it; the terminal's `^C` goes away.
  func leave() { emit("\r\u{1b}[K", to: 1) }

  static func fitted(_ line: Substring, _ columns: Int) -> String {
    line.count < columns ? String(line) : line.prefix(columns - 4) + "..."
  }

  private static func size() -> (columns: Int, rows: Int) {
    var size = winsize()
    let known = ioctl(1, UInt(TIOCGWINSZ), &size) == 0
    // A serial console says 0.
    return (
      known && size.ws_col > 8 ? Int(size.ws_col) : 80, known && size.ws_row > 2 ? Int(size.ws_row) : 24
    )
  }
}
