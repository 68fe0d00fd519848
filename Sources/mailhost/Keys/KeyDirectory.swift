import CLinux
import Glibc
import HostChecks
import Linux
import MailHost
import Text

/// The directory of the keys that mail is signed with: `DOMAIN.SELECTOR.key`, the record beside it (`.txt`), what says that a key is
/// retiring (`.retiring`), and which key signs (`signing.conf`).
struct KeyDirectory {
  let settings: HostSettings
  let root: HostRoot

  static let user = "_rspamd"
  private static let attributes = Generation.Attributes(mode: 0o640, owner: user, group: user)

  func path(_ domain: String, _ selector: String, _ kind: String) -> String {
    "\(settings.dkim)/\(domain).\(selector).\(kind)"
  }

  // MARK: What signs

  private var tablePath: String { "\(settings.dkim)/\(SigningTable.name)" }

  /// - Throws: when somebody has edited it: nothing is guessed about what signs.
  func table() throws(HostFailure) -> SigningTable {
    guard let text = try explained({ () throws(SystemError) in try root.read(tablePath)?.text }) else {
      return SigningTable()
    }
    do throws(SigningTable.Fault) {
      return try SigningTable(reading: text, directory: settings.dkim)
    } catch {
      if let directory = error.directory {
        throw HostFailure(
          .failed,
          "\(tablePath):\(error.line): names keys in \(visibleInLine(directory)), not in \(settings.dkim): without them "
            + "mail is not signed",
          hint: "`sed -i 's|\"\(visibleInLine(directory))/|\"\(settings.dkim)/|g' \(tablePath)`, then "
            + "`systemctl reload rspamd`")
      }
      throw HostFailure(
        .failed, "\(tablePath):\(error.line): is no line that `mailhost dkim` has written",
        hint:
          "take that line back, or remove the file: then \(settings.selector ?? "dkim_selector") signs for all domains")
    }
  }

  func store(_ table: SigningTable) throws(HostFailure) {
    try explained { () throws(SystemError) in
      try root.write(tablePath, Array(table.text(directory: settings.dkim).utf8), Self.attributes)
    }
  }

  // MARK: Keys

  /// A new key and its record. What is there is never overwritten.
  func make(_ domain: String, _ selector: String, _ algorithm: KeyAlgorithm) throws(HostFailure) {
    let path = path(domain, selector, "key")
    guard fileStatus(root.path(path)) == nil else {
      throw HostFailure(
        .failed, "\(path) is there already", hint: "a key is never overwritten: choose another selector")
    }
    let key = try SigningKey(domain: domain, selector: selector, algorithm: algorithm)
    // The key last: whoever finds it finds its record.
    try explained { () throws(SystemError) in
      try root.write(self.path(domain, selector, "txt"), Array(key.record.zoneLine.utf8), Self.attributes)
      try root.write(path, key.file, Self.attributes)
    }
  }

  /// The mark last: without it the key would look like one that waits for its time.
  func remove(_ domain: String, _ selector: String) throws(HostFailure) {
    try explained { () throws(SystemError) in
      for kind in ["key", "txt", "retiring"] { try root.remove(path(domain, selector, kind)) }
    }
  }

  func setMark(_ mark: SigningKeyFile.Mark?, _ domain: String, _ selector: String) throws(HostFailure) {
    let path = path(domain, selector, "retiring")
    try explained { () throws(SystemError) in
      switch mark {
      case nil: try root.remove(path)
      case .begun: try root.write(path, [], Self.attributes)
      case .since(let time): try root.write(path, Array((timestamp(time) + "\n").utf8), Self.attributes)
      }
    }
  }

  /// Selectors of a domain that a file of any kind is there for.
  func selectors(of domain: String) throws(HostFailure) -> [String] {
    guard let names = listDirectory(root.path(settings.dkim)) else {
      throw HostFailure(.failed, "\(settings.dkim): \(errnoText())")
    }
    return Set(names.compactMap { selector(in: $0, of: domain) }).sorted()
  }

  /// A selector may have dots: of `a.b.key` and the domain `a` it is `b`, unless there is a domain `a.b` … whose name ends elsewhere.
  private func selector(in name: String, of domain: String) -> String? {
    guard name.hasPrefix(domain + ".") else { return nil }
    for kind in [".key", ".retiring"] where name.hasSuffix(kind) {
      let selector = name.dropFirst(domain.count + 1).dropLast(kind.count)
      // `example.org.au.202601.key` is no key of example.org.
      return selector.isEmpty || selector.contains(".") ? nil : String(selector)
    }
    return nil
  }

  func keys(of domain: String) throws(HostFailure) -> DomainKeys {
    let selectors = try selectors(of: domain)
    let facts: [SigningKeyFacts]
    do throws(SigningKeyFacts.Failure) {
      facts = try SigningKeyFacts.reading(selectors.map { root.path(path(domain, $0, "key")) }, as: Self.user)
    } catch {
      throw HostFailure(.failed, error.text)
    }
    var keys: [SigningKeyFile] = []
    for (selector, facts) in zip(selectors, facts) {
      guard let status = fileStatus(root.path(path(domain, selector, "key"))) else {
        // A mark whose key is gone says nothing.
        if fileStatus(root.path(path(domain, selector, "retiring"))) != nil { try remove(domain, selector) }
        continue
      }
      keys.append(
        SigningKeyFile(
          selector: selector, algorithm: KeyAlgorithm(rawValue: facts.algorithm) ?? .rsa,
          publicForms: facts.publicForms, problem: facts.problem, mark: try mark(domain, selector),
          made: Double(status.st_mtim.tv_sec)))
    }
    return DomainKeys(
      domain: domain, keys: keys, signing: try table().selectors[domain] ?? [settings.selector].compactMap(\.self))
  }

  private func mark(_ domain: String, _ selector: String) throws(HostFailure) -> SigningKeyFile.Mark? {
    let stored = try explained { () throws(SystemError) in try root.read(path(domain, selector, "retiring")) }
    guard let stored else { return nil }
    let text = stored.text.filter { !$0.isWhitespace }
    // One that cannot be read: as if nobody had seen the last signature.
    return secondsSince1970(timestamp: text).map { .since($0) } ?? .begun
  }
}
