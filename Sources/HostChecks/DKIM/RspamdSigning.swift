import Glibc
import JSON
import Linux

/// Where a key is to be found.
struct DKIMKeyPlace: Equatable {
  var domain: String
  var selector: String
  var path: String

  /// The record for the zone that is kept beside it.
  var recordPath: String { (path.hasSuffix(".key") ? String(path.dropLast(4)) : path) + ".txt" }
}

/// What rspamd's section `dkim_signing` says of keys, read as its module does (`lua_dkim_tools.lua`).
struct RspamdSigning: Equatable {
  enum Reading: Equatable {
    case signs(RspamdSigning)
    /// It signs with nothing that could be looked at here; why.
    case cannotBeLookedAt(String)
    /// It signs nothing; why.
    case off(String)
  }

  /// One key of a table.
  struct Named: Equatable {
    var selector: String?
    var path: String?
  }

  /// Nil: rspamd's own default.
  var path: String?
  var selector = "dkim"
  /// Whether a domain that is not named is signed by `path` and `selector`.
  var fallsBack = true
  /// Whether a subdomain is signed as the registered domain above it.
  var usesRegisteredDomain = true
  /// The only domain it signs as, whoever sends.
  var signsAs: String?
  /// Tables of single domains; nil stands for the general setting.
  var named: [String: [Named]] = [:]
  var selectors: [String: String] = [:]
  var paths: [String: String] = [:]

  /// Stands for all that are not known by name, where one key is for all.
  static let everyDomain = "every domain"
  static let standardPath = "/var/lib/rspamd/dkim/$domain.$selector.key"

  /// Domains that its configuration names.
  var namedDomains: [String] { Set(named.keys).union(selectors.keys).union(paths.keys).sorted() }

  /// Whether somebody has said where keys are, rather than leaving all as the package has it.
  var isConfigured: Bool { path != nil || !namedDomains.isEmpty || signsAs != nil }

  /// The keys that it signs mail of `domain` with, nearest name first; none: it does not sign it.
  func places(for domain: String) -> [[DKIMKeyPlace]] {
    names(of: domain.lowercased()).map(keys).filter { !$0.isEmpty }
  }

  /// The registered domain is one of those above: which one, only a list of public suffixes tells.
  private func names(of domain: String) -> [String] {
    if let signsAs { return [signsAs] }
    var names = [domain]
    while usesRegisteredDomain, let dot = names[names.count - 1].firstIndex(of: ".") {
      let above = String(names[names.count - 1][dot...].dropFirst())
      guard above.contains(".") else { break }
      names.append(above)
    }
    return names
  }

  private func keys(of domain: String) -> [DKIMKeyPlace] {
    var found = named[domain] ?? []
    if found.isEmpty, fallsBack || selectors[domain] != nil || paths[domain] != nil { found = [Named()] }
    return found.map { key in
      let selector = key.selector ?? selectors[domain] ?? selector
      let template = key.path ?? paths[domain] ?? path ?? Self.standardPath
      return DKIMKeyPlace(
        domain: domain, selector: selector, path: Self.filled(template, domain: domain, selector: selector))
    }
  }

  private static func filled(_ template: String, domain: String, selector: String) -> String {
    var text = ""
    var rest = template[...]
    while let dollar = rest.firstIndex(of: "$") {
      text += rest[..<dollar]
      rest = rest[dollar...]
      let known = [("$domain", domain), ("${domain}", domain), ("$selector", selector), ("${selector}", selector)]
      if let (name, value) = known.first(where: { rest.hasPrefix($0.0) }) {
        text += value
        rest = rest.dropFirst(name.count)
      } else {
        text += "$"
        rest = rest.dropFirst()
      }
    }
    return text + rest
  }

  /// Domains that have a key file by the general setting.
  func domainsWithKeys() -> [String] {
    let template = Self.filled(path ?? Self.standardPath, domain: "\u{1}", selector: selector)
    if !template.contains("\u{1}") { return [signsAs ?? Self.everyDomain] }
    guard let slash = template.lastIndex(of: "/"), !template[..<slash].contains("\u{1}") else { return [] }
    let parts = template[template.index(after: slash)...].split(separator: "\u{1}", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return [] }
    return (listDirectory(String(template[..<slash])) ?? []).compactMap { name in
      guard name.hasPrefix(parts[0]), name.hasSuffix(parts[1]), name.count > parts[0].count + parts[1].count else {
        return nil
      }
      return String(name.dropFirst(parts[0].count).dropLast(parts[1].count))
    }
  }
}
