import CLinux
import Glibc
import JSON
import Linux
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
    _ directory: RuntimeDirectory = RuntimeDirectory(), main: String = standardPath
  ) -> Configuration? {
    let paths = [main, main + ".d"]
    if paths.allSatisfy({ fileStatus($0) == nil && errno == ENOENT }) { return Configuration() }
    guard let snapshot = directory.configurationSnapshot(), paths.allSatisfy({ snapshot.stamps[$0] != nil }),
      snapshot.stamps.allSatisfy({ stamp($0.key) == $0.value })
    else { return nil }
    return try? Configuration(decoding: snapshot.tree)
  }

  /// Keeps it for others if everybody may read all of it, and takes one away that must not be there. Failing is no trouble: then the
  /// files are read each time.
  ///
  /// - Parameter settling: seconds that must have passed since the last change: a second one within the same tick of the kernel's
  ///   clock would leave the same stamp.
  public func keep(_ directory: RuntimeDirectory = RuntimeDirectory(), settling: Double = 2) {
    guard geteuid() == 0, fileStatus(directory.path) != nil else { return }
    let there = stamps.filter { $0.value != nil }.keys
    let limit = Reactor.wall() - settling
    guard !there.isEmpty, there.allSatisfy({ Self.isForEverybody($0) && Self.changed($0) <= limit }), let json = json()
    else { return directory.removeSnapshot() }
    do { try directory.storeSnapshot(json) } catch { directory.removeSnapshot() }
  }

  /// Seconds since 1970.
  private static func changed(_ path: String) -> Double {
    guard let time = fileStatus(path)?.st_ctim else { return .infinity }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Whether it, and every directory on the way to it, links followed or not, lets everybody in.
  private static func isForEverybody(_ path: String) -> Bool {
    guard let real = resolvedPath(path), (fileStatus(path)?.st_mode ?? 0) & 0o004 != 0 else { return false }
    return [path, real].allSatisfy { path in
      var parent = ""
      return path.split(separator: "/").dropLast().allSatisfy { name in
        parent += "/" + name
        return (fileStatus(parent)?.st_mode ?? 0) & 0o001 != 0
      }
    }
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
