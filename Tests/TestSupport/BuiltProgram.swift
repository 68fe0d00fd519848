import Foundation

/// The path of a program of this package as it was built with the tests: beside the test bundle.
public func builtProgram(_ name: String) throws -> String {
  let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let path = (bundle as NSString).deletingLastPathComponent + "/" + name
  if FileManager.default.isExecutableFile(atPath: path) { return path }
  // Under a runner of the toolchain the bundle is an argument.
  guard let argument = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") }) else {
    throw CocoaError(.fileNoSuchFile)
  }
  return (argument as NSString).deletingLastPathComponent + "/" + name
}
