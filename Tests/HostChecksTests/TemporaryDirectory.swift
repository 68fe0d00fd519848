import Foundation

/// A directory of its own for one test, open to every user for passing through as a mail host's directories are.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/mailboot-checks.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
    path = String(cString: made)
    guard chmod(path, 0o755) == 0 else { throw CocoaError(.fileWriteNoPermission) }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func file(_ name: String) -> String { path + "/" + name }

  /// Makes the file with exactly these contents, owner root and mode.
  @discardableResult
  func write(_ name: String, _ contents: Data, mode: mode_t = 0o644) throws -> String {
    let path = file(name)
    try contents.write(to: URL(fileURLWithPath: path))
    guard chmod(path, mode) == 0 else { throw CocoaError(.fileWriteNoPermission) }
    return path
  }

  @discardableResult
  func write(_ name: String, _ contents: String, mode: mode_t = 0o644) throws -> String {
    try write(name, Data(contents.utf8), mode: mode)
  }

  /// Names of everything in the directory, sorted.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

/// Runs a program of the build machine to its end.
func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  process.standardInput = FileHandle.nullDevice
  try process.run()
  let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return (process.terminationStatus, output)
}

/// Runs a hint as an administrator would: pasted into a shell.
func runInShell(_ command: String) throws -> (status: Int32, output: String) {
  try run("/bin/sh", ["-c", command])
}
