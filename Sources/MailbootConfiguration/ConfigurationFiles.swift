import Glibc
import Linux
import MailbootCore

/// The configuration as it stands on disk: `mailboot.toml`, then `mailboot.toml.d/*.toml` in the order of their names.
public struct ConfigurationFiles: Sendable {
  public static let standardPath = mailbootSettingsPath

  public let configuration: Configuration
  /// The files that were read, in order; empty: the defaults apply.
  public let files: [String]

  /// - Parameter path: the main file. Nil: the standard one, which may be missing; a named one may not.
  public init(path: String?) throws(Failure) {
    do {
      let merged = try MergedTOML(path ?? Self.standardPath, required: path != nil) { $1.layered(over: $0) }
      files = merged.files
      configuration =
        try merged.root.map { root throws(ConfigurationError) in try Configuration(decoding: root) } ?? Configuration()
    } catch {
      throw .configuration(error)
    }
  }
}

/// A file of TOML with its drop-ins, `FILE.d/*.toml` in the order of their names, laid over each other.
public struct MergedTOML: Sendable {
  /// Nil: there is no file at all.
  public let root: ConfigurationNode?
  /// The files that were read, in order.
  public let files: [String]

  /// - Parameters:
  ///   - required: whether it is an error that the main file is not there.
  ///   - merge: lays a file over those before it; nil: it is the main file, or would come after it.
  public init(
    _ main: String, required: Bool,
    merge: (ConfigurationNode?, ConfigurationNode) -> ConfigurationNode = { $0?.merged(with: $1) ?? $1 }
  ) throws(ConfigurationError) {
    var root: ConfigurationNode?
    var files: [String] = []
    for file in try Self.candidates(main, required: required) {
      let tree = try Self.read(file)
      // A drop-in of a file that is not there is one all the same.
      let before = root ?? (file == main ? nil : ConfigurationNode(.table([:]), at: tree.origin))
      root = merge(before, tree)
      files.append(file)
    }
    self.root = root
    self.files = files
  }

  /// From bytes that are in no file.
  /// - Parameters:
  ///   - files: each with a name for its mistakes, the main file first.
  ///   - merge: lays a file over those before it.
  public init(
    _ files: [(name: String, bytes: [UInt8])],
    merge: (ConfigurationNode?, ConfigurationNode) -> ConfigurationNode = { $0?.merged(with: $1) ?? $1 }
  ) throws(ConfigurationError) {
    var root: ConfigurationNode?
    for file in files { root = merge(root, try Self.tree(of: file.bytes, file.name)) }
    self.root = root
    self.files = files.map(\.name)
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
    return try tree(of: bytes, file)
  }

  private static func tree(of bytes: [UInt8], _ file: String) throws(ConfigurationError) -> ConfigurationNode {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw issue(file, "is not UTF-8") }
    return try TOMLSource.tree(of: text, file: file)
  }

  private static func issue(_ file: String, _ message: String) -> ConfigurationError {
    ConfigurationError(issues: [
      ConfigurationIssue(origin: Origin(file: file, line: 0, column: 0), key: "", message: message)
    ])
  }
}
