import Foundation

/// Limits how many guests of a kind run at once on this host, over all processes.
struct Slots: Sendable {
  /// The directory in the cache's `slots`.
  let name: String
  let limit: Int

  /// Emulated machines; each takes two processors whole while it works.
  static let machines = Slots(name: "machines", limit: limit("MAILBOOT_MACHINE_LIMIT", 2))
  /// Native hosts; each waits for most of its time. Two that talk to each other must be possible.
  static let hosts = Slots(name: "hosts", limit: max(limit("MAILBOOT_HOST_LIMIT", 4), 2))

  private static func limit(_ variable: String, _ usual: Int) -> Int {
    min(max(Int(ProcessInfo.processInfo.environment[variable] ?? "") ?? usual, 1), 64)
  }

  /// Waits for the right to run one more, first come, first served.
  /// - Returns: the slot, free again when the last reference to it goes.
  func take(in cache: MachineCache, timeout: Duration = .seconds(3600)) throws -> FileLock {
    let directory = "\(cache.root)/slots/\(name)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    // Only the one in front looks for a free slot; the others queue up at this lock.
    let turn = try FileLock.waiting(directory + "/queue", .exclusive)
    defer { withExtendedLifetime(turn) {} }
    let deadline = Deadline(after: timeout)
    while !deadline.hasPassed {
      for index in 0..<limit {
        if let slot = try FileLock.ifFree("\(directory)/\(index)", .exclusive) { return slot }
      }
      deadline.pause(.milliseconds(20))
    }
    throw MachineError(.timedOut, "\(limit) other \(name) have been running for \(timeout)")
  }
}
