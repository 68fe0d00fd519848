import Console
import Glibc

extension Terminal {
  /// Whether the place can show more than ASCII: a terminal in a locale of UTF-8.
  var hasSigns: Bool {
    guard isLive else { return false }
    let names: [String] = ["LC_ALL", "LC_CTYPE", "LANG"]
    let locale = names.compactMap { name in getenv(name).map { String(cString: $0) } }.first { !$0.isEmpty }
    return locale.map { $0.uppercased().hasSuffix("UTF-8") || $0.uppercased().hasSuffix("UTF8") } ?? false
  }
}
