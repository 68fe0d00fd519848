import CLinux
import Glibc
import Linux
import MailbootCore

/// The files of Ansible's variables below what the administrator named, with their ranks: groups before hosts, `all` first.
struct VariableFiles {
  private(set) var files: [(file: String, text: String, rank: Int)] = []

  /// - Parameter paths: files and directories; a later one counts more.
  init(_ paths: [String]) throws(HostFailure) {
    for (index, path) in paths.enumerated() { try add(path, rank: index * 10 + 1, depth: 0) }
    if files.isEmpty {
      throw HostFailure(.failed, "there is no file of variables (*.yml) in \(paths.joined(separator: ", "))")
    }
  }

  private mutating func add(_ path: String, rank: Int, depth: Int) throws(HostFailure) {
    guard let status = fileStatus(path) else { throw HostFailure(.failed, "\(path): \(errnoText())") }
    if status.st_mode & S_IFMT != S_IFDIR {
      try read(path, rank: rank)
      return
    }
    guard let names = listDirectory(path) else { throw HostFailure(.failed, "\(path): \(errnoText())") }
    // Ansible goes no deeper either than a directory for each group.
    if depth > 3 { return }
    let parts = names.filter { ["group_vars", "host_vars"].contains($0) }
    if !parts.isEmpty {
      for name in parts { try add("\(path)/\(name)", rank: rank + (name == "host_vars" ? 1 : 0), depth: depth + 1) }
      return
    }
    for name in names where !name.hasPrefix(".") {
      let place = "\(path)/\(name)"
      let isDirectory = fileStatus(place).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
      guard isDirectory || [".yml", ".yaml", ".json"].contains(where: name.hasSuffix) || !name.contains(".") else {
        continue
      }
      let isForAll = name == "all" || name.hasPrefix("all.")
      try add(place, rank: isForAll && path.hasSuffix("group_vars") ? rank - 1 : rank, depth: depth + 1)
    }
  }

  private mutating func read(_ path: String, rank: Int) throws(HostFailure) {
    guard let bytes = readSmallFile(path) else {
      throw HostFailure(
        .failed, "\(path) \(errno == EFBIG ? "is larger than 1 MiB" : "cannot be read: \(errnoText())")")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw HostFailure(.failed, "\(path) is not UTF-8")
    }
    files.append((path, text, rank))
  }
}
