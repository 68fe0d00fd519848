import Foundation

/// The directory outside the repository in which built machines are kept.
///
/// A stage is a directory `NAME-KEY`, complete as soon as it exists. Files named `NAME.lock` make builders wait for each
/// other; `machines/` and `hosts/` hold the disks of running guests, `slots/` their number.
struct MachineCache: Sendable {
  let root: String

  /// Opens the cache: `MAILBOOT_MACHINE_CACHE`, or `mailboot-machine` in the user's cache directory.
  init() throws {
    let environment = ProcessInfo.processInfo.environment
    if let given = environment["MAILBOOT_MACHINE_CACHE"], given.hasPrefix("/") {
      root = given
    } else if let caches = environment["XDG_CACHE_HOME"], caches.hasPrefix("/") {
      root = caches + "/mailboot-machine"
    } else {
      root = NSHomeDirectory() + "/.cache/mailboot-machine"
    }
    for directory in [root, root + "/machines", root + "/slots"] {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }
  }

  /// How many stages of one name are kept besides the current one: for other branches, or the package before this one.
  static let spares = 2

  /// Finds a stage, or builds it.
  /// - Parameters:
  ///   - name: such as `image-12`.
  ///   - inputs: everything that decides what comes out.
  ///   - build: fills the directory it is given.
  func stage(_ name: String, inputs: [String], build: (_ directory: String) throws -> Void) throws -> Stage {
    let key = try Self.digest(of: inputs.joined(separator: "\n"))
    let directory = "\(root)/\(name)-\(key)"
    let building = try FileLock.waiting("\(root)/\(name).lock", .exclusive)
    defer { withExtendedLifetime(building) {} }

    let files = FileManager.default
    if !files.fileExists(atPath: directory) {
      try removeLeftovers(of: name)
      let temporary = "\(root)/\(name).building.\(UUID().uuidString)"
      try files.createDirectory(atPath: temporary, withIntermediateDirectories: true)
      do {
        try build(temporary)
        // Two builds from the same inputs differ in every block: what lies on top of one does not fit the other.
        try UUID().uuidString.write(toFile: temporary + "/identity", atomically: false, encoding: .utf8)
        try files.moveItem(atPath: temporary, toPath: directory)
      } catch {
        _ = try? HostCommand.run(["rm", "-rf", "--one-file-system", "--", temporary])
        throw error
      }
    }
    let stage = try Stage(directory)
    try files.setAttributes([.modificationDate: Date()], ofItemAtPath: directory)
    return stage
  }

  /// Removes unfinished stages of this name, and those that were not used for longest, unless a machine runs on them.
  private func removeLeftovers(of name: String) throws {
    let files = FileManager.default
    let names = try files.contentsOfDirectory(atPath: root)
    for unfinished in names where unfinished.hasPrefix(name + ".building.") {
      // Its builder may still be clearing up after itself: files that are gone meanwhile are no error.
      try HostCommand.run(["rm", "-rf", "--one-file-system", "--", root + "/" + unfinished])
    }
    let stages = names.filter { $0.hasPrefix(name + "-") }.map { root + "/" + $0 }
    let newestFirst = try stages.sorted { try Self.age(of: $0) > Self.age(of: $1) }
    for directory in newestFirst.dropFirst(Self.spares) {
      guard let lock = try FileLock.ifFree(directory + "/in-use", .exclusive) else { continue }
      try HostCommand.run(["rm", "-rf", "--one-file-system", "--", directory])
      withExtendedLifetime(lock) {}
    }
  }

  private static func age(of path: String) throws -> Date {
    try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date ?? .distantPast
  }

  /// The first 16 hexadecimal digits of the SHA-256 of a text.
  private static func digest(of text: String) throws -> String {
    let file = NSTemporaryDirectory() + "/mailboot-machine." + UUID().uuidString
    try text.write(toFile: file, atomically: false, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    return String(try HostCommand.run(["sha256sum", file]).prefix(16))
  }
}

/// A finished stage; not pruned while anybody holds one.
struct Stage: Sendable {
  let directory: String
  /// Different for each build, also for builds from the same inputs.
  let identity: String
  private let inUse: FileLock

  init(_ directory: String) throws {
    inUse = try FileLock.waiting(directory + "/in-use", .shared)
    identity = try String(contentsOfFile: directory + "/identity", encoding: .utf8)
    self.directory = directory
  }
}
