import JSON
import Linux

extension RspamdSigning {
  /// Reads what `rspamadm configdump -j dkim_signing` prints; nil when that is nothing we know.
  static func read(configdump text: String) -> Reading? {
    if text.contains("NOT FOUND") { return .off("rspamd has no section dkim_signing") }
    // One object for each section of that name; later ones add to it.
    let sections = jsonObjects(in: text)
    guard !sections.isEmpty else { return nil }
    var signing = RspamdSigning()
    for section in sections {
      // Some versions print the section's name around it.
      if let refusal = signing.take(section["dkim_signing"] ?? section) { return refusal }
    }
    return .signs(signing)
  }

  private mutating func take(_ section: JSONText) -> Reading? {
    if section["enabled"]?.flag == false { return .off("rspamd's dkim_signing is switched off") }
    for (key, place) in [
      ("use_redis", "in redis"), ("use_vault", "in a vault server"), ("use_http_headers", "in each request's headers"),
    ] where section[key]?.flag == true {
      return .cannotBeLookedAt("rspamd finds its keys \(place)")
    }
    for key in ["sign_condition", "signing_table", "use_domain_custom"] where section[key] != nil {
      return .cannotBeLookedAt("rspamd chooses its keys by `\(key)`")
    }
    if let text = section["path"]?.text { path = text }
    if let text = section["selector"]?.text { selector = text }
    if let flag = section["try_fallback"]?.flag { fallsBack = flag }
    if let flag = section["use_esld"]?.flag { usesRegisteredDomain = flag }
    if let text = section["use_domain"]?.text, !["header", "envelope", "auth", "recipient"].contains(text) {
      signsAs = text.lowercased()
    }
    for table in section["domain"].map(Self.list) ?? [] {
      for (domain, keys) in table.members ?? [] { takeDomain(domain.lowercased(), keys) }
    }
    for (key, target) in [("selector_map", \RspamdSigning.selectors), ("path_map", \.paths)] {
      guard let value = section[key] else { continue }
      guard let map = Self.map(value) else {
        return .cannotBeLookedAt("rspamd's `\(key)` is not a file that can be read")
      }
      self[keyPath: target].merge(map) { $1 }
    }
    return nil
  }

  private mutating func takeDomain(_ domain: String, _ tables: JSONText) {
    for table in Self.list(tables) {
      if table["selector"] != nil || table["path"] != nil {
        named[domain, default: []].append(Named(selector: table["selector"]?.text, path: table["path"]?.text))
      }
      for key in table["selectors"].map(Self.list) ?? [] {
        named[domain, default: []].append(Named(selector: key["selector"]?.text, path: key["path"]?.text))
      }
    }
  }

  /// UCL writes one value and several in the same way.
  private static func list(_ value: JSONText) -> [JSONText] { value.items ?? [value] }

  /// A map of rspamd: a file of lines `KEY VALUE`, such lines themselves, or a table. Nil: anything else, such as a URL.
  private static func map(_ value: JSONText) -> [String: String]? {
    if let table = value.members { return pairs(table.compactMap { key, value in value.text.map { "\(key) \($0)" } }) }
    let lines = list(value).compactMap(\.text)
    guard lines.count == 1, let source = lines.first else { return lines.isEmpty ? nil : pairs(lines) }
    var path = source[...]
    for prefix in ["fallback+", "file://"] where path.hasPrefix(prefix) { path = path.dropFirst(prefix.count) }
    guard path.hasPrefix("/") else { return path.contains("://") ? nil : pairs(lines) }
    do {
      let bytes = try OpenedFile(String(path), followingLinks: true).prefix(16 << 20)
      return pairs(String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init))
    } catch {
      return nil
    }
  }

  private static func pairs(_ lines: [String]) -> [String: String] {
    var found: [String: String] = [:]
    for line in lines {
      let words = line.prefix { $0 != "#" }.split(maxSplits: 1, whereSeparator: \.isWhitespace).map { word in
        word.filter { $0 != "\"" && !$0.isWhitespace }
      }
      if words.count == 2, !words[1].isEmpty { found[words[0].lowercased()] = words[1] }
    }
    return found
  }

  /// The JSON objects in a text that may have other lines between them.
  private static func jsonObjects(in text: String) -> [JSONText] {
    var found: [JSONText] = []
    var depth = 0
    var isQuoted = false
    var isEscaped = false
    var object: [UInt8] = []
    for byte in text.utf8 {
      if depth > 0 || byte == UInt8(ascii: "{") { object.append(byte) }
      if isEscaped {
        isEscaped = false
      } else if isQuoted {
        if byte == UInt8(ascii: "\\") { isEscaped = true }
        if byte == UInt8(ascii: "\"") { isQuoted = false }
      } else if byte == UInt8(ascii: "\""), depth > 0 {
        isQuoted = true
      } else if byte == UInt8(ascii: "{") {
        depth += 1
      } else if byte == UInt8(ascii: "}"), depth > 0 {
        depth -= 1
        if depth == 0 {
          if let json = JSONText(parsing: object) { found.append(json) }
          object = []
        }
      }
    }
    return found
  }
}
