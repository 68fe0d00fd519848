import JSON
import Linux

/// rspamd's settings for signing as most hosts have them: a few lines in `local.d`. To read them costs nothing, to have rspamd read all of
/// its configuration takes seconds of a processor on a slow machine.
///
/// Whoever finds something wrong with what they say asks rspamd itself.
struct RspamdFiles {
  var root = "/etc/rspamd"
  var dynamic = "/var/lib/rspamd/dynamic"

  /// As `rspamadm configdump -j dkim_signing` would print them; nil when they are not that simple.
  var signing: String? {
    guard fileStatus("\(dynamic)/dkim_signing.conf") == nil else { return nil }
    for file in ["rspamd.conf.local", "rspamd.conf.override"] {
      if readSmallText("\(root)/\(file)")?.contains("dkim_signing") ?? false { return nil }
    }
    // As the package has it.
    var settings: [(String, JSONText)] = [("selector", .string("dkim"))]
    for directory in ["local.d", "override.d"] {
      guard let text = readSmallText("\(root)/\(directory)/dkim_signing.conf") else { continue }
      for line in text.split(separator: "\n") {
        let line = line.prefix { $0 != "#" }
        if line.allSatisfy(\.isWhitespace) { continue }
        guard let (key, value) = Self.setting(line) else { return nil }
        settings.removeAll { $0.0 == key }
        settings.append((key, value))
      }
    }
    return settings.contains { $0.0 == "path" } ? JSONText.object(settings).line() : nil
  }

  /// `NAME = VALUE;` with a plain value, and nothing else on the line.
  private static func setting(_ line: Substring) -> (String, JSONText)? {
    let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let name = trimmed(parts[0])
    var value = trimmed(parts[1])
    if value.hasSuffix(";") { value = trimmed(value.dropLast()) }
    guard !name.isEmpty, name.utf8.allSatisfy({ (0x61...0x7a).contains($0) || $0 == 0x5f }) else { return nil }
    if value.count > 1, value.hasPrefix("\""), value.hasSuffix("\"") {
      let text = value.dropFirst().dropLast()
      return text.contains { "\"\\{}".contains($0) } ? nil : (String(name), .string(String(text)))
    }
    switch value {
    case "true", "yes", "on": return (String(name), .bool(true))
    case "false", "no", "off": return (String(name), .bool(false))
    default: return nil
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return text
  }
}
