import Glibc
import Linux
import MailbootCore

/// The configuration as it stands on disk: `mailboot.toml`, then `mailboot.toml.d/*.toml` in the order of their names.
public struct ConfigurationFiles: Sendable {
  public static let standardPath = "/etc/mailboot/mailboot.toml"

  public let configuration: Configuration
  /// The files that were read, in order; empty: the defaults apply.
  public let files: [String]

  /// - Parameter path: the main file. Nil: the standard one, which may be missing; a named one may not.
  public init(path: String?) throws(Failure) {
    let main = path ?? Self.standardPath
    var root: ConfigurationNode?
    var files: [String] = []
    do {
      for file in try Self.candidates(main, required: path != nil) {
        let tree = try Self.read(file)
        root = root?.merged(with: tree) ?? tree
        files.append(file)
      }
      self.files = files
      configuration =
        try root.map { root throws(ConfigurationError) in try Configuration(decoding: root) } ?? Configuration()
    } catch {
      throw .configuration(error)
    }
  }

  private static func candidates(_ main: String, required: Bool) throws(ConfigurationError) -> [String] {
    var files: [String] = []
    if fileStatus(main) != nil {
      files.append(main)
    } else if required || errno != ENOENT {
      throw issue(main, "cannot be read: \(errnoText())")
    }
    let directory = main + ".d"
    if let names = listDirectory(directory) {
      files += names.filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }.map { "\(directory)/\($0)" }
    } else if errno != ENOENT {
      throw issue(directory, "cannot be read: \(errnoText())")
    }
    return files
  }

  private static func read(_ file: String) throws(ConfigurationError) -> ConfigurationNode {
    guard let bytes = readSmallFile(file) else {
      throw issue(file, errno == EFBIG ? "is larger than 1 MiB" : "cannot be read: \(errnoText())")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw issue(file, "is not UTF-8") }
    return try TOMLSource.tree(of: text, file: file)
  }

  private static func issue(_ file: String, _ message: String) -> ConfigurationError {
    ConfigurationError(issues: [
      ConfigurationIssue(origin: Origin(file: file, line: 0, column: 0), key: "", message: message)
    ])
  }
}
