import CLinux
import Glibc
import Linux
import MailbootCore
import Text

/// The directory with `DOMAIN.SELECTOR.key` and `DOMAIN.SELECTOR.txt`.
struct DKIMDirectory {
  let path: String
  private let keyNames: [String]

  /// - Parameter user: who signs, and must be able to read it.
  init(_ path: String, user: UserAccount) throws(Problem) {
    self.path = path
    guard let names = listDirectory(path) else {
      switch errno {
      case ENOENT:
        throw Problem(
          .dkimKeyMissing, "\(path) is missing",
          hint:
            "install -d -m 0750 \(shellWord(path)) && chown \(user.ownership) \(shellWord(path)), then a key for each domain into it"
        )
      case ENOTDIR: throw Problem(.dkimKeyUnreadable, "\(path) is not a directory")
      case let number: throw Problem(.dkimKeyUnreadable, "cannot open \(path): \(errorText(number))")
      }
    }
    keyNames = names.filter { $0.hasSuffix(".key") }
  }

  /// The selector of the key to use for `domain`: the configured one, else another for which there is a key. Of several
  /// the last by name: selectors often are dates. Nil: no key.
  func selector(of domain: String, configured: String, among domains: [String]) -> String? {
    if keyNames.contains("\(domain).\(configured).key") { return configured }
    let candidates = keyNames.compactMap { name -> String? in
      guard name.hasPrefix(domain + ".") else { return nil }
      // `example.org.uk.1.key` belongs to example.org.uk where there is one.
      let isOthers = domains.contains { $0.count > domain.count && name.hasPrefix($0 + ".") && $0.hasPrefix(domain) }
      let selector = String(name.dropFirst(domain.count + 1).dropLast(".key".count))
      return isOthers || selector.isEmpty ? nil : selector
    }
    return candidates.last { !$0.contains(".") } ?? candidates.last
  }

  /// Domains that have a key under that selector.
  func domains(selector: String) -> [String] {
    let end = ".\(selector).key"
    return keyNames.compactMap { $0.hasSuffix(end) ? String($0.dropLast(end.count)) : nil }
  }

  func place(_ domain: String, _ selector: String) -> DKIMKeyPlace {
    DKIMKeyPlace(domain: domain, selector: selector, path: keyPath(domain, selector))
  }

  func keyPath(_ domain: String, _ selector: String) -> String { "\(path)/\(domain).\(selector).key" }
}
