/// The number systemd gave a queued job.
public struct JobID: Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt32

  public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  /// From a job's object path, `/org/freedesktop/systemd1/job/4711`.
  init?(objectPath: String) {
    let prefix = "/org/freedesktop/systemd1/job/"
    guard objectPath.hasPrefix(prefix), let number = UInt32(objectPath.dropFirst(prefix.count)) else { return nil }
    rawValue = number
  }

  public var description: String { String(rawValue) }
}

/// A job that has left systemd's queue.
public struct JobResult: Sendable, Equatable {
  public let id: JobID
  public let unit: UnitName
  /// `done`, `failed`, `dependency`, `assert`, `timeout`, `canceled`, `skipped`, …
  ///
  /// `done` does not say that the unit is active: a failed `Condition…=` ends so too. Read the unit's state.
  public let result: String

  public init(id: JobID, unit: UnitName, result: String) {
    self.id = id
    self.unit = unit
    self.result = result
  }
}
