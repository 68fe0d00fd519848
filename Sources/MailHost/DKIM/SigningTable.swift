/// Which keys sign the mail of each domain whose keys have ever been changed: the file `signing.conf` in the directory of the keys,
/// which rspamd's `dkim_signing` and `arc` include. A domain that is not in it is signed with `dkim_selector`.
///
/// It is ours alone, one domain a line, and is read back by the same rules: what else stands there is an error, and never guessed at.
public struct SigningTable: Equatable, Sendable {
  public static let name = "signing.conf"

  public struct Fault: Error, Equatable {
    /// From 1.
    public var line: Int
    /// It is one of ours, and this is where it has the keys; nil: it is none.
    public var directory: String?

    public init(line: Int, directory: String? = nil) {
      self.line = line
      self.directory = directory
    }
  }

  /// Selectors of each domain, in the order of the signatures.
  public var selectors: [String: [String]]

  public init(selectors: [String: [String]] = [:]) { self.selectors = selectors }

  /// Reads the file.
  /// - Parameter expected: where the keys have to be; nil: anywhere.
  /// - Throws: where a line is not one of ours, or names keys elsewhere.
  public init(reading text: String, directory expected: String? = nil) throws(Fault) {
    selectors = [:]
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.isEmpty || line.hasPrefix("#") { continue }
      let quoted = line.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
      // Between quotes: the domain, then selector and path of each key.
      let values = stride(from: 1, to: quoted.count, by: 2).map { quoted[$0] }
      guard values.count >= 3, values.count % 2 == 1 else { throw Fault(line: index + 1) }
      let names = stride(from: 1, to: values.count, by: 2).map { values[$0] }
      let paths = stride(from: 2, to: values.count, by: 2).map { values[$0] }
      guard let directory = paths[0].range(ofDirectoryOf: "\(values[0]).\(names[0]).key"),
        Self.line(values[0], names, directory: directory) == line
      else { throw Fault(line: index + 1) }
      if let expected, directory != expected { throw Fault(line: index + 1, directory: directory) }
      selectors[values[0]] = names
    }
  }

  /// - Parameter directory: of the keys.
  public func text(directory: String) -> String {
    """
    # Which keys sign the mail of a domain. Written by `mailhost dkim`, which also reads it: do not edit it.

    """ + selectors.sorted { $0.key < $1.key }.map { Self.line($0.key, $0.value, directory: directory) + "\n" }.joined()
  }

  private static func line(_ domain: String, _ selectors: [String], directory: String) -> String {
    let keys = selectors.map { "{ selector = \"\($0)\"; path = \"\(directory)/\(domain).\($0).key\"; }" }
    return "\"\(domain)\" { selectors = [ \(keys.joined(separator: ", ")) ]; }"
  }
}

extension String {
  /// What stands before `/NAME` at the end.
  fileprivate func range(ofDirectoryOf name: String) -> String? {
    hasSuffix("/" + name) ? String(dropLast(name.count + 1)) : nil
  }
}
