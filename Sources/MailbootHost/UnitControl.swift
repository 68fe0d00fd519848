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
  let manager: SystemdManager
  let reactor: Reactor
  /// Results that have come and nobody has asked for yet.
  private var results: [JobID: String] = [:]

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
    do {
      for job in try manager.process() { results[job.id] = job.result }
    } catch {
      throw Failure(error)
    }
  }

  /// The job's result if it has ended; asked for once.
  func result(of job: JobID) -> String? { results.removeValue(forKey: job) }

  /// Waits for a job's end; nil when the deadline (monotonic seconds) passed first.
  func wait(for job: JobID, until deadline: Double) throws(Failure) -> String? {
    while true {
      try drain()
      if let result = result(of: job) { return result }
      if Reactor.monotonic() >= deadline { return nil }
      var descriptors = [pollDescriptor]
      // sd-bus may hold a message it has read already: look again at least every second.
      try reactor.wait(&descriptors, until: min(deadline, Reactor.monotonic() + 1))
    }
  }

  func start(_ unit: UnitName) throws(Failure) -> JobID {
    do { return try manager.start(unit) } catch { throw Failure(error) }
  }

  func stop(_ unit: UnitName) throws(Failure) -> JobID {
    do { return try manager.stop(unit) } catch { throw Failure(error) }
  }

  /// Forgets an earlier failure and its start limit, so that a fresh start is one. A unit that is not loaded has none.
  func resetFailed(_ unit: UnitName) throws(Failure) {
    do { try manager.resetFailed(unit) } catch  where error.isNoSuchUnit {} catch { throw Failure(error) }
  }

  func details(of units: [UnitName]) throws(Failure) -> [UnitName: UnitDetails] {
    do { return try manager.details(of: units) } catch { throw Failure(error) }
  }

  func states(of units: [UnitName]) throws(Failure) -> [UnitName: UnitState] {
    do { return try manager.states(of: units) } catch { throw Failure(error) }
  }

  /// The last lines a unit wrote since then, for showing; what prevents it is said in their place.
  static func journal(_ unit: UnitName, sinceWall seconds: Double, lines: Int = 10) -> [String] {
    do {
      return try journalTail(
        unit: unit, invocationID: nil, sinceMicroseconds: UInt64(max(0, seconds) * 1e6), lines: lines)
    } catch {
      return ["(\(error))"]
    }
  }
}
