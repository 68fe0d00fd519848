import Foundation

/// Limits how many machines run at once on this host, over all processes.
enum MachineSlots {
  /// From `MAILBOOT_MACHINE_LIMIT`; two when unset.
  static let limit: Int = {
    let given = Int(ProcessInfo.processInfo.environment["MAILBOOT_MACHINE_LIMIT"] ?? "") ?? 2
    return min(max(given, 1), 64)
  }()

  /// Waits for the right to run one more machine, first come, first served.
  /// - Returns: the slot, free again when the last reference to it goes.
  static func take(in cache: MachineCache, timeout: Duration = .seconds(3600)) throws -> FileLock {
    let directory = cache.root + "/slots"
    // Only the one in front looks for a free slot; the others queue up at this lock.
    let turn = try FileLock.waiting(directory + "/queue", .exclusive)
    defer { withExtendedLifetime(turn) {} }
    let deadline = Deadline(after: timeout)
    while !deadline.hasPassed {
      for index in 0..<limit {
        if let slot = try FileLock.ifFree("\(directory)/\(index)", .exclusive) { return slot }
      }
      deadline.pause(.milliseconds(50))
    }
    throw MachineError(.timedOut, "\(limit) other machines have been running for \(timeout)")
  }
}
