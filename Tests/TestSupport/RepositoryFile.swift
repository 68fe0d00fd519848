import Foundation

/// A file of this repository, by its path from the top.
public func repositoryFile(_ path: String) -> URL {
  var top = URL(fileURLWithPath: #filePath)
  repeat {
    top.deleteLastPathComponent()
  } while !FileManager.default.fileExists(
    atPath: top.appendingPathComponent("Package.swift").path)
  return top.appendingPathComponent(path)
}
