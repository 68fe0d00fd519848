import Foundation

/// A directory of its own for one test, gone with it; every user may pass through, as through a mail host's directories.
public final class TemporaryDirectory {
  public let path: String

  /// - Parameter parent: `/dev/shm` where it has to be a tmpfs, as `/run` is.
  public init(in parent: String = "/tmp") throws {
    var template = Array("\(parent)/mailboot-test.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
    path = String(cString: made)
    guard chmod(path, 0o755) == 0 else { throw CocoaError(.fileWriteNoPermission) }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of what is called `name` in it, there or not.
  public func file(_ name: String) -> String { path + "/" + name }

  /// Makes the file with exactly these contents and this mode, and the directories on the way to it.
  /// - Returns: its path.
  @discardableResult
  public func write(_ name: String, _ contents: Data, mode: mode_t = 0o644) throws -> String {
    let path = file(name)
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    try contents.write(to: URL(fileURLWithPath: path))
    guard chmod(path, mode) == 0 else { throw CocoaError(.fileWriteNoPermission) }
    return path
  }

  @discardableResult
  public func write(_ name: String, _ contents: String, mode: mode_t = 0o644) throws -> String {
    try write(name, Data(contents.utf8), mode: mode)
  }

  /// Names of everything in the directory, sorted.
  public func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}
