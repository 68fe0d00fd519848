import Foundation

/// Runs a program of the build machine to its end.
public func runProgram(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
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

/// Runs a hint or any other line as an administrator would: pasted into a shell.
public func runInShell(_ command: String) throws -> (status: Int32, output: String) {
  try runProgram("/bin/sh", ["-c", command])
}
