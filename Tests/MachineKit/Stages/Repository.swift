import Foundation

/// The source tree this was built from.
enum Repository {
  /// Its top directory.
  static let root: String = {
    // This file is Tests/MachineKit/Stages/Repository.swift.
    var url = URL(fileURLWithPath: #filePath)
    for _ in 1...4 { url.deleteLastPathComponent() }
    return url.path
  }()

  /// The directory with `build-tree`.
  static func machineDirectory() throws -> String {
    let directory = root + "/machine"
    guard FileManager.default.isExecutableFile(atPath: directory + "/build-tree") else {
      throw MachineError(.host, "\(directory)/build-tree is not there")
    }
    return directory
  }
}
