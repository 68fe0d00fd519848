import Glibc

/// systemd's manager, as reached over D-Bus: the state of units, and jobs that start and stop them.
///
/// Belongs to one thread. In a `poll(2)` loop: wait for `pollEvents()` on `descriptor` until `timeoutMicroseconds()`,
/// then call `process()`. Every other method waits for its reply, for 25 s at most.
public final class SystemdManager {
  let connection: BusConnection
  private var isSubscribed = false
  private static let privateSocket = "/run/systemd/private"

  /// Connects to systemd: as root to its own socket, which works without a bus daemon, otherwise over the system bus.
  ///
  /// - Throws: a `BusError` with `isNoBus` when neither can be reached.
  public init() throws(BusError) {
    if geteuid() == 0, access(Self.privateSocket, F_OK) == 0,
      let direct = try? BusTransport(address: "unix:path=\(Self.privateSocket)", isBusClient: false)
    {
      connection = BusConnection(direct)
      return
    }
    do {
      connection = BusConnection(try BusTransport(systemBus: "connect to the system bus"))
    } catch {
      throw BusError(message: error.message, errno: error.errno, operation: error.operation, isNoBus: true)
    }
  }

  /// Connects to a systemd at a D-Bus address, such as a user's manager at `unix:path=/run/user/1000/systemd/private`.
  ///
  /// - Parameter isBusClient: true for a bus daemon, false for systemd's own socket.
  public init(address: String, isBusClient: Bool = false) throws(BusError) {
    do {
      connection = BusConnection(try BusTransport(address: address, isBusClient: isBusClient))
    } catch {
      throw BusError(message: error.message, errno: error.errno, operation: error.operation, isNoBus: true)
    }
  }

  /// Connects anew after systemd has closed the connection, over its own socket where there is one: while systemd starts anew the
  /// bus daemon can be reached, but not systemd over it.
  public static func reconnect() throws(BusError) -> SystemdManager {
    guard geteuid() == 0, access(privateSocket, F_OK) == 0 else { return try SystemdManager() }
    return try SystemdManager(address: "unix:path=\(privateSocket)")
  }

  /// Whether a bus daemon is between us and systemd.
  public var isBusClient: Bool { connection.isBusClient }

  /// For `poll(2)`. Valid as long as the manager.
  public var descriptor: Int32 { connection.descriptor }

  /// The `poll(2)` events to wait for; ask before each wait.
  public func pollEvents() -> Int16 { connection.pollEvents() }

  /// When to call `process()` even if nothing happens on `descriptor`: absolute `CLOCK_MONOTONIC` microseconds, nil for
  /// no limit. 0 means at once: a message has been read already, so `poll(2)` alone would not tell.
  public func timeoutMicroseconds() -> UInt64? { connection.timeoutMicroseconds() }

  // MARK: Jobs

  /// Queues a start of the unit and what it needs (`StartUnit`, mode `replace`).
  ///
  /// The returned job ends with a `JobResult` from `process()`; the end may have arrived already.
  public func start(_ unit: UnitName) throws(BusError) -> JobID { try queueJob("StartUnit", unit) }

  /// Queues a stop (`StopUnit`, mode `replace`).
  public func stop(_ unit: UnitName) throws(BusError) -> JobID { try queueJob("StopUnit", unit) }

  /// Gives up a job that has not ended, such as one that waits for a device. Its end is reported as `canceled`.
  ///
  /// Harmless when the job has ended meanwhile.
  public func cancel(_ job: JobID) throws(BusError) {
    let message = try connection.newCall(member: "CancelJob", subject: job.description)
    try message.append(job.rawValue, as: BusType.uint32)
    do {
      _ = try connection.call(message)
    } catch {
      guard error.name == "org.freedesktop.systemd1.NoSuchJob" else { throw error }
    }
  }

  /// Whether the job has not ended yet.
  public func isQueued(_ job: JobID) throws(BusError) -> Bool {
    let message = try connection.newCall(member: "GetJob", subject: job.description)
    try message.append(job.rawValue, as: BusType.uint32)
    do {
      _ = try connection.call(message)
      return true
    } catch {
      guard error.name == "org.freedesktop.systemd1.NoSuchJob" else { throw error }
      return false
    }
  }

  /// Makes a failed unit inactive and resets its start limit. Throws `isNoSuchUnit` when it is not loaded.
  public func resetFailed(_ unit: UnitName) throws(BusError) {
    let message = try connection.newCall(member: "ResetFailedUnit", subject: unit.rawValue)
    try message.append(unit.rawValue)
    _ = try connection.call(message)
  }

  /// Reads what systemd has sent, without waiting, and reports each job that has ended since the last call.
  ///
  /// All jobs are reported, also those of others and of dependencies.
  public func process() throws(BusError) -> [JobResult] {
    var results: [JobResult] = []
    for signal in try connection.takeSignals() {
      let id = JobID(try signal.readUInt32())
      _ = try signal.readObjectPath()
      results.append(JobResult(id: id, unit: UnitName(try signal.readString()), result: try signal.readString()))
    }
    return results
  }

  private func queueJob(_ method: String, _ unit: UnitName) throws(BusError) -> JobID {
    let message = try connection.newCall(member: method, subject: unit.rawValue)
    try message.append(unit.rawValue)
    try message.append("replace")
    return try queueJob(message)
  }

  /// Sends a call that answers with a job's path, once the job's end is sure to be heard.
  func queueJob(_ message: BusMessage) throws(BusError) -> JobID {
    if !isSubscribed {
      try connection.subscribe(to: "JobRemoved")
      isSubscribed = true
    }
    let path = try connection.call(message).readObjectPath()
    guard let id = JobID(objectPath: path) else {
      throw BusError(message: "unexpected job path \(path)", errno: EBADMSG, operation: message.operation)
    }
    return id
  }
}

@available(*, unavailable, message: "sd-bus objects belong to one thread")
extension SystemdManager: Sendable {}
