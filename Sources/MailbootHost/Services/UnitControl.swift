import CLinux
import Glibc
import MailbootCore
import Systemd

extension Failure {
  /// What the bus said, in our words.
  init(_ error: BusError) {
    self = error.isNoBus ? .noBus(error.message) : .system("systemd: \(error)")
  }
}

/// Jobs and units of systemd within our own waiting.
final class UnitControl {
  private(set) var manager: SystemdManager
  let reactor: Reactor
  /// Results that have come and nobody has asked for yet.
  private var results: [JobID: String] = [:]
  /// Whether systemd was gone for a moment, and the end of a job may have been missed.
  private var mayHaveMissed = false
  /// Seconds systemd may take to come back.
  private static let patience = 15.0

  init(reactor: Reactor) throws(Failure) {
    self.reactor = reactor
    do {
      manager = try SystemdManager()
    } catch {
      throw Failure(error)
    }
  }

  var pollDescriptor: pollfd { pollfd(fd: manager.descriptor, events: manager.pollEvents(), revents: 0) }

  /// Takes in what the bus has for us.
  func drain() throws(Failure) {
    let ended = try ask { (manager) throws(BusError) in try manager.process() }
    for job in ended { results[job.id] = job.result }
  }

  /// The job's result if it has ended; asked for once. One whose end was missed is "done": what became of the unit is looked at by
  /// whoever asks, whatever the result.
  func result(of job: JobID) throws(Failure) -> String? {
    if let result = results.removeValue(forKey: job) { return result }
    guard mayHaveMissed else { return nil }
    return try ask { (manager) throws(BusError) in try manager.isQueued(job) } ? nil : "done"
  }

  /// Asks systemd, and again over a new connection when it has closed this one, as it does at `daemon-reexec`.
  private func ask<Answer>(
    _ question: (SystemdManager) throws(BusError) -> Answer
  ) throws(Failure) -> Answer {
    let deadline = Reactor.monotonic() + Self.patience
    while true {
      do {
        return try question(manager)
      } catch  where error.isDisconnected && Reactor.monotonic() < deadline {
        try reconnect(until: deadline)
      } catch {
        throw Failure(error)
      }
    }
  }

  private func reconnect(until deadline: Double) throws(Failure) {
    mayHaveMissed = true
    while true {
      try reactor.sleep(seconds: 0.2)
      do {
        manager = try SystemdManager.reconnect()
        return
      } catch  where Reactor.monotonic() < deadline {
        continue
      } catch {
        throw Failure(error)
      }
    }
  }

  /// Waits for a job's end; nil when the deadline (monotonic seconds) passed first.
  func wait(for job: JobID, until deadline: Double) throws(Failure) -> String? {
    while true {
      try drain()
      if let result = try result(of: job) { return result }
      if Reactor.monotonic() >= deadline { return nil }
      var descriptors = [pollDescriptor]
      // sd-bus may hold a message it has read already: look again at least every second.
      try reactor.wait(&descriptors, until: min(deadline, Reactor.monotonic() + 1))
    }
  }

  func start(_ unit: UnitName) throws(Failure) -> JobID {
    try ask { (manager) throws(BusError) in try manager.start(unit) }
  }

  func start(_ service: TransientService) throws(Failure) -> JobID {
    try ask { (manager) throws(BusError) in try manager.start(service) }
  }

  func startTransientMount(
    name: UnitName, what: String, type: String, options: [String], description: String, runFsck: Bool
  ) throws(Failure) -> JobID {
    try ask { (manager) throws(BusError) in
      try manager.startTransientMount(
        name: name, what: what, type: type, options: options, description: description, runFsck: runFsck)
    }
  }

  func stop(_ unit: UnitName) throws(Failure) -> JobID {
    try ask { (manager) throws(BusError) in try manager.stop(unit) }
  }

  /// Forgets an earlier failure and its start limit, so that a fresh start is one. A unit that is not loaded has none.
  func resetFailed(_ unit: UnitName) throws(Failure) {
    try ask { (manager) throws(BusError) in
      do throws(BusError) { try manager.resetFailed(unit) } catch  where error.isNoSuchUnit {}
    }
  }

  func details(of units: [UnitName]) throws(Failure) -> [UnitName: UnitDetails] {
    try ask { (manager) throws(BusError) in try manager.details(of: units) }
  }

  func states(of units: [UnitName]) throws(Failure) -> [UnitName: UnitState] {
    try ask { (manager) throws(BusError) in try manager.states(of: units) }
  }

  /// The last lines a unit wrote since then, for showing; what prevents it is said in their place.
  static func journal(_ unit: UnitName, sinceWall seconds: Double, lines: Int = 10) -> [String] {
    do {
      return try journalTail(
        unit: unit, sinceMicroseconds: UInt64(max(0, seconds) * 1e6), lines: lines)
    } catch {
      return ["(\(error))"]
    }
  }
}
