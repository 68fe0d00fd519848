import Console

/// A QR code where it is to be seen.
public struct QRText {
  private let drawing: QRDrawing
  private let terminal: Terminal

  public init(drawing: QRDrawing, terminal: Terminal) {
    self.drawing = drawing
    self.terminal = terminal
  }

  /// - Throws: where there is no room for it.
  public func text() throws(QRFailure) -> String {
    if let width = terminal.width, width < drawing.width {
      throw QRFailure("it is \(drawing.width) columns wide, and the terminal \(width)")
    }
    // Black on white, whatever the terminal's own colours are: not every reader takes the negative.
    let (on, off) = terminal.hasColour ? ("\u{1b}[30;107m", "\u{1b}[0m") : ("", "")
    return drawing.lines.map { on + $0 + off + "\n" }.joined()
  }
}
