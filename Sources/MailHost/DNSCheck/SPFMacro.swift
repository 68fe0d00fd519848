/// Macros in the names of SPF records (RFC 7208, section 7).
struct SPFMacro {
  let address: IPAddress
  let sender: String
  let domain: String
  /// The name in the greeting.
  let greeting: String

  /// Whether a text can be read, whatever is put in.
  static func isString(_ text: String) -> Bool { probe.expanded(text, isExplanation: true) != nil }

  /// Whether a text is a name, or becomes one: at its end a label that is no number, or a macro.
  static func isDomain(_ text: String) -> Bool {
    guard probe.expanded(text) != nil else { return false }
    if text.hasSuffix("}") { return true }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    guard let last = labels.last(where: { !$0.isEmpty }), labels.count > 1, labels.count > 2 || !text.hasSuffix(".")
    else {
      return false
    }
    return !last.hasPrefix("-") && !last.hasSuffix("-") && !last.allSatisfy(\.isNumber)
      && last.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
  }

  private static var probe: SPFMacro {
    SPFMacro(address: IPAddress("192.0.2.1")!, sender: "a@example.org", domain: "example.org", greeting: "example.org")
  }

  /// Nil when it cannot be read.
  /// - Parameter isExplanation: whether it is a text for people, in which there may be more macros.
  func expanded(_ text: String, isExplanation: Bool = false) -> String? {
    var result = ""
    var rest = text[...]
    while let sign = rest.firstIndex(of: "%") {
      result += rest[..<sign]
      rest = rest[sign...].dropFirst()
      switch rest.first {
      case "%": result += "%"
      case "_": result += " "
      case "-": result += "%20"
      case "{":
        guard let end = rest.firstIndex(of: "}") else { return nil }
        let macro = rest[..<end].dropFirst()
        if isExplanation, ["c", "r", "t"].contains(macro.first?.lowercased()) {
          rest = rest[end...].dropFirst()
          continue
        }
        guard let value = value(macro) else { return nil }
        result += value
        rest = rest[end...]
      default: return nil
      }
      rest = rest.dropFirst()
    }
    return result + rest
  }

  /// A letter, digits (how many labels at most, from the right), `r` (reversed), what labels are divided at.
  private func value(_ macro: Substring) -> String? {
    guard let letter = macro.first, let whole = whole(letter.lowercased()) else { return nil }
    var rest = macro.dropFirst()
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    rest = rest.dropFirst(digits.count)
    let isReversed = rest.first?.lowercased() == "r"
    if isReversed { rest = rest.dropFirst() }
    guard rest.allSatisfy({ ".-+,/_=".contains($0) }) else { return nil }
    let delimiters = rest.isEmpty ? "." : String(rest)
    var labels = whole.split(omittingEmptySubsequences: false) { delimiters.contains($0) }
    if isReversed { labels.reverse() }
    if !digits.isEmpty {
      guard let count = Int(digits), count > 0 else { return nil }
      labels = labels.suffix(count)
    }
    return labels.joined(separator: ".")
  }

  private func whole(_ letter: String) -> String? {
    let parts = sender.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let (local, host) = parts.count == 2 ? (parts[0], parts[1]) : ("postmaster", sender)
    return switch letter {
    case "s": "\(local)@\(host)"
    case "l": local
    case "o": host
    case "d": domain
    // Of IPv6 the half-bytes, in their order.
    case "i":
      address.isSix ? String(address.reversedLabels.reversed()) : address.text
    case "v": address.isSix ? "ip6" : "in-addr"
    case "h": greeting
    // The RFC would rather not have it used, and has this for whoever does not look it up.
    case "p": "unknown"
    default: nil
    }
  }
}
