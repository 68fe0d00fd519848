import Foundation

/// Compiles C that stands before libc's own functions.
/// - Returns: the path of the library, for `LD_PRELOAD`.
func compiledShim(_ source: String, named name: String, in directory: String) throws -> String {
  let path = "\(directory)/\(name).so"
  let file = "\(directory)/\(name).c"
  try source.write(toFile: file, atomically: true, encoding: .utf8)
  let compiler = Process()
  compiler.executableURL = URL(fileURLWithPath: "/usr/bin/gcc")
  compiler.arguments = ["-shared", "-fPIC", "-O1", "-w", "-o", path, file, "-ldl"]
  try compiler.run()
  compiler.waitUntilExit()
  guard compiler.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
  return path
}
