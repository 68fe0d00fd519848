/// A value of an XML property list, as Apple's programs read it.
indirect enum PropertyList {
  case string(String)
  case integer(Int)
  case boolean(Bool)
  case array([PropertyList])
  /// In this order, so that the same profile is always the same bytes.
  case dictionary([(String, PropertyList)])

  /// The whole file.
  var document: String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
    <plist version="1.0">
    \(lines("").joined(separator: "\n"))
    </plist>

    """
  }

  private func lines(_ indent: String) -> [String] {
    let inner = indent + "  "
    switch self {
    case .string(let text): return ["\(indent)<string>\(markup(text))</string>"]
    case .integer(let number): return ["\(indent)<integer>\(number)</integer>"]
    case .boolean(let flag): return ["\(indent)<\(flag)/>"]
    case .array(let items): return ["\(indent)<array>"] + items.flatMap { $0.lines(inner) } + ["\(indent)</array>"]
    case .dictionary(let members):
      let written = members.flatMap { key, value in ["\(inner)<key>\(markup(key))</key>"] + value.lines(inner) }
      return ["\(indent)<dict>"] + written + ["\(indent)</dict>"]
    }
  }
}
