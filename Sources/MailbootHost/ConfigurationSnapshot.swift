import CLinux
import Glibc
import MailbootCore

/// The configuration as the files said when somebody last read them, for `status`, which would otherwise spend most of its time on
/// TOML. It counts only while every file is the one that was read.
public struct ConfigurationSnapshot: Equatable {
  public static let standardPath = "/etc/mailboot/mailboot.toml"

  /// The main file, its directory of further ones, and these: each with what it was, nil for not there.
  private var stamps: [String: String?]
  private var tree: ConfigurationNode

  /// - Parameters:
  ///   - stamps: taken before the files were read: what changes meanwhile makes the snapshot count for nothing.
  ///   - tree: all files merged.
  public init(stamps: [String: String?], tree: ConfigurationNode) {
    self.stamps = stamps
    self.tree = tree
  }

  /// What a file is now; nil: it is not there.
  public static func stamp(_ path: String) -> String? {
    guard let status = fileStatus(path) else { return nil }
    let time = status.st_ctim
    return "\(status.st_dev).\(status.st_ino).\(status.st_size).\(time.tv_sec).\(time.tv_nsec)"
  }

  /// The configuration that applies when the standard files are not there, or are those of the snapshot; nil: they must be read.
  public static func current(
    _ directory: RunDirectory = RunDirectory(), main: String = standardPath
  ) -> Configuration? {
    let paths = [main, main + ".d"]
    if paths.allSatisfy({ fileStatus($0) == nil && errno == ENOENT }) { return Configuration() }
    guard let snapshot = directory.configurationSnapshot(), paths.allSatisfy({ snapshot.stamps[$0] != nil }),
      snapshot.stamps.allSatisfy({ stamp($0.key) == $0.value })
    else { return nil }
    return try? Configuration(decoding: snapshot.tree)
  }

  /// Keeps it for others, if all of it is for everybody. Failing is no trouble: then the files are read each time.
  public func keep(_ directory: RunDirectory = RunDirectory()) {
    guard geteuid() == 0, !stamps.isEmpty, directory.configurationSnapshot() != self,
      stamps.allSatisfy({ path, stamp in stamp == nil || (fileStatus(path)?.st_mode ?? 0) & 0o004 != 0 }),
      let json = json()
    else { return }
    try? directory.storeSnapshot(json)
  }

  private func json() -> JSONText? {
    guard let tree = JSONText(tree) else { return nil }
    let files = stamps.sorted { $0.key < $1.key }.map { ($0.key, JSONText.optional($0.value)) }
    return .object([("files", .object(files)), ("configuration", tree)])
  }

  init?(json: JSONText) {
    guard let files = json["files"]?.members, let tree = json["configuration"] else { return nil }
    stamps = [:]
    for (path, stamp) in files { stamps.updateValue(stamp.text, forKey: path) }
    self.tree = ConfigurationNode(tree)
  }
}

extension JSONText {
  /// Nil for what no key takes.
  fileprivate init?(_ node: ConfigurationNode) {
    switch node.value {
    case .string(let text): self = .string(text)
    case .integer(let number): self = .integer(Int64(number))
    case .boolean(let flag): self = .bool(flag)
    case .double, .temporal: return nil
    case .array(let items):
      let all = items.compactMap(JSONText.init)
      guard all.count == items.count else { return nil }
      self = .array(all)
    case .table(let members):
      let all = members.sorted { $0.key < $1.key }.compactMap { key, node in JSONText(node).map { (key, $0) } }
      guard all.count == members.count else { return nil }
      self = .object(all)
    }
  }
}

extension ConfigurationNode {
  /// Without places: what is kept has no mistakes to show.
  fileprivate init(_ json: JSONText) {
    let value: Value =
      switch json {
      case .string(let text): .string(text)
      case .integer(let number): .integer(Int(number))
      case .seconds(let number): .double(number)
      case .bool(let flag): .boolean(flag)
      case .array(let items): .array(items.map { ConfigurationNode($0) })
      case .object(let members): .table(Dictionary(members.map { ($0, ConfigurationNode($1)) }) { first, _ in first })
      case .null: .temporal
      }
    self.init(value, at: Origin(file: "", line: 0, column: 0))
  }
}
