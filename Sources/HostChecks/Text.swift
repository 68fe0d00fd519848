import CLinux
import Glibc
import Linux

/// "1 domain", "2 domains", "2 aliases".
func counted(_ number: Int, _ singular: String, plural: String? = nil) -> String {
  "\(number) \(number == 1 ? singular : plural ?? singular + "s")"
}

/// What libc says of an `errno`, starting in lower case as our sentences do.
func errorText(_ number: Int32) -> String {
  let text = errnoText(number)
  return text.prefix(1).lowercased() + text.dropFirst()
}

/// `text` on one line of printable characters, cut to `limit` characters: it comes from files and from the network.
package func printable(_ text: String, limit: Int = 200) -> String {
  var result = ""
  var pendingSpace = false
  for character in text {
    let isBlank = character.unicodeScalars.allSatisfy { $0.properties.isWhitespace }
    if isBlank {
      pendingSpace = !result.isEmpty
      continue
    }
    if pendingSpace { result.append(" ") }
    pendingSpace = false
    let isShown = character.unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
      default: true
      }
    }
    result.append(isShown ? character : "?")
  }
  return result.count > limit ? result.prefix(limit - 1) + "…" : result
}

/// Permission bits as `chmod` takes them: "0640".
func octal(_ mode: mode_t) -> String {
  let digits = String(mode & 0o7777, radix: 8)
  return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}

/// "5 s", "0.5 s".
func secondsText(_ seconds: Double) -> String {
  let tenths = Int((max(0, min(seconds, 1e6)) * 10).rounded())
  return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
}
