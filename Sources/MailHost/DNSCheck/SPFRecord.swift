/// Whether a TXT record is one of SPF (RFC 7208, section 4.5).
func isSPF(_ text: String) -> Bool {
  let lower = text.lowercased()
  return lower == "v=spf1" || lower.hasPrefix("v=spf1 ")
}

/// An SPF record, parsed (RFC 7208, section 4.6 and 5).
struct SPFRecord: Equatable {
  enum Qualifier: Character {
    case pass = "+"
    case fail = "-"
    case softFail = "~"
    case neutral = "?"
  }

  enum Mechanism: Equatable {
    case all
    case include(String)
    /// Nil: the domain itself. The lengths of the prefixes of IPv4 and IPv6.
    case a(String?, Int, Int)
    case mx(String?, Int, Int)
    case ptr(String?)
    case ip4(IPAddress, Int)
    case ip6(IPAddress, Int)
    case exists(String)
  }

  struct Directive: Equatable {
    var qualifier: Qualifier
    var mechanism: Mechanism
    /// As it was written.
    var text: String
  }

  /// What is wrong: the whole record then counts for nothing (permerror).
  struct Fault: Error, Equatable {
    var text: String
  }

  var directives: [Directive] = []
  var redirect: String?

  init(_ text: String) throws(Fault) {
    guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
      throw Fault(text: "it has characters that are not ASCII")
    }
    var names: Set<String> = []
    for word in text.split(separator: " ").dropFirst().map(String.init) {
      guard let (name, value) = Self.modifier(word) else {
        directives.append(try Self.directive(word))
        continue
      }
      guard ["redirect", "exp"].contains(name) else {
        guard SPFMacro.isString(value) else { throw Fault(text: "\"\(word)\" cannot be read") }
        continue
      }
      guard names.insert(name).inserted else { throw Fault(text: "\(name)= stands in it twice") }
      guard SPFMacro.isDomain(value) else { throw Fault(text: "\"\(word)\" names no domain") }
      if name == "redirect" { redirect = value }
    }
  }

  /// `NAME=VALUE`, where no colon or slash comes before the sign.
  private static func modifier(_ word: String) -> (String, String)? {
    guard let sign = word.firstIndex(of: "=") else { return nil }
    let name = word[..<sign].lowercased()
    guard let first = name.first, first.isASCII, first.isLetter,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
    else { return nil }
    return (name, String(word[word.index(after: sign)...]))
  }

  private static func directive(_ word: String) throws(Fault) -> Directive {
    var rest = word[...]
    let qualifier = rest.first.flatMap(Qualifier.init(rawValue:))
    if qualifier != nil { rest = rest.dropFirst() }
    let end = rest.firstIndex { $0 == ":" || $0 == "/" } ?? rest.endIndex
    let name = rest[..<end].lowercased()
    let after = String(rest[end...])
    func fault(_ reason: String) -> Fault { Fault(text: "\"\(word)\" \(reason)") }
    func value() throws(Fault) -> String {
      guard after.hasPrefix(":"), after.count > 1 else { throw fault("has nothing behind the colon") }
      return String(after.dropFirst())
    }
    func domain() throws(Fault) -> String {
      let name = try value()
      guard SPFMacro.isDomain(name) else { throw fault("names no domain") }
      return name
    }
    let mechanism: Mechanism
    switch name {
    case "all":
      guard after.isEmpty else { throw fault("is followed by something") }
      mechanism = .all
    case "include": mechanism = .include(try domain())
    case "exists": mechanism = .exists(try domain())
    case "ptr": mechanism = .ptr(after.isEmpty ? nil : try domain())
    case "a", "mx":
      guard let (domain, four, six) = Self.domainAndPrefixes(after) else { throw fault("cannot be read") }
      mechanism = name == "a" ? .a(domain, four, six) : .mx(domain, four, six)
    case "ip4", "ip6":
      let parts = try value().split(separator: "/", omittingEmptySubsequences: false)
      guard let address = IPAddress(String(parts[0])), address.isSix == (name == "ip6"), parts.count <= 2 else {
        throw fault("has no address of its kind")
      }
      let longest = address.isSix ? 128 : 32
      guard let prefix = parts.count == 2 ? Self.prefix(parts[1], longest) : longest else {
        throw fault("has no prefix length")
      }
      mechanism = address.isSix ? .ip6(address, prefix) : .ip4(address, prefix)
    default: throw fault("is no mechanism of SPF")
    }
    return Directive(qualifier: qualifier ?? .pass, mechanism: mechanism, text: word)
  }

  /// `[:DOMAIN][/4][//6]`; a name may have a slash in it, too.
  private static func domainAndPrefixes(_ text: String) -> (String?, Int, Int)? {
    var rest = text[...]
    var (four, six) = (32, 128)
    func digits() -> Substring { Substring(String(rest.reversed().prefix { $0.isASCII && $0.isNumber }.reversed())) }
    let last = digits()
    if !last.isEmpty, rest.dropLast(last.count).hasSuffix("//") {
      guard let number = prefix(last, 128) else { return nil }
      six = number
      rest = rest.dropLast(last.count + 2)
    }
    let first = digits()
    if !first.isEmpty, rest.dropLast(first.count).hasSuffix("/") {
      guard let number = prefix(first, 32) else { return nil }
      four = number
      rest = rest.dropLast(first.count + 1)
    }
    if rest.isEmpty { return (nil, four, six) }
    let name = String(rest.dropFirst())
    return rest.hasPrefix(":") && SPFMacro.isDomain(name) ? (name, four, six) : nil
  }

  private static func prefix(_ text: Substring, _ longest: Int) -> Int? {
    guard text == "0" || !text.hasPrefix("0"), text.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(text),
      number <= longest
    else { return nil }
    return number
  }
}
