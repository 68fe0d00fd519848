import Console
import MailHost

/// A QR code where it is to be seen.
struct QRText {
  let drawing: QRDrawing
  let terminal: Terminal

  /// - Throws: where there is no room for it.
  func text() throws(HostFailure) -> String {
    if let width = terminal.width, width < drawing.width {
      throw HostFailure(.failed, "it is \(drawing.width) columns wide, and the terminal \(width)")
    }
    // Black on white, whatever the terminal's own colours are: not every reader takes the negative.
    let (on, off) = terminal.hasColour ? ("\u{1b}[30;107m", "\u{1b}[0m") : ("", "")
    return drawing.lines.map { on + $0 + off + "\n" }.joined()
  }
}
