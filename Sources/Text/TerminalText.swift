/// Text that comes from elsewhere (file names, journals, answers of services) as it may be written to a terminal: control
/// characters and the marks that turn the direction of text become `?`; line ends stay.
public func visible(_ text: String) -> String {
  func isSafe(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar == "\n" || (0x20..<0x7f).contains(scalar.value) }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return false
    default: return true
    }
  }
  if text.unicodeScalars.allSatisfy(isSafe) { return text }
  return String(String.UnicodeScalarView(text.unicodeScalars.map { isSafe($0) ? $0 : "?" }))
}
