import Foundation

/// A directory of its own for one test.
final class TemporaryDirectory {
  let path: String

  /// - Parameter parent: `/dev/shm` where it has to be a tmpfs, as `/run` is.
  init(in parent: String = "/tmp") throws {
    var template = Array("\(parent)/mailboot-host.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
    path = String(cString: made)
    guard chmod(path, 0o755) == 0 else { throw CocoaError(.fileWriteNoPermission) }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func file(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ name: String, _ contents: Data) throws -> String {
    let path = file(name)
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    try contents.write(to: URL(fileURLWithPath: path))
    return path
  }

  @discardableResult
  func write(_ name: String, _ contents: String) throws -> String { try write(name, Data(contents.utf8)) }

  /// Names of everything in the directory, sorted.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}
