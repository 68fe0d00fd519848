/// Text that comes from elsewhere (file names, journals, answers of services) as it may be written to a terminal: control
/// characters and the marks that turn the direction of text become `?`; line ends stay.
public func visible(_ text: String) -> String { shown(text, lineEnds: true) }

/// The same for text that is one line of several: its line ends become `?`, too, so that it cannot add lines of its own.
public func visibleInLine(_ text: String) -> String { shown(text, lineEnds: false) }

private func shown(_ text: String, lineEnds: Bool) -> String {
  func isSafe(_ scalar: Unicode.Scalar) -> Bool { scalar.isHarmless || (lineEnds && scalar == "\n") }
  if text.unicodeScalars.allSatisfy(isSafe) { return text }
  return String(String.UnicodeScalarView(text.unicodeScalars.map { isSafe($0) ? $0 : "?" }))
}

extension Unicode.Scalar {
  /// Whether a terminal shows it, and does nothing else.
  public var isHarmless: Bool {
    if isASCII { return (0x20..<0x7f).contains(value) }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return false
    default: return true
    }
  }
}
