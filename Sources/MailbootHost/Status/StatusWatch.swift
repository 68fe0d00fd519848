import CLinux
import Glibc
import MailbootCore

/// Something that tells by a descriptor when the status may have changed.
public protocol WatchSource: AnyObject {
  /// For `poll(2)`; asked before each wait.
  var entry: pollfd { get }
  /// Takes in what has come, once the descriptor is ready; whether the status may be another now.
  func changed() throws(Failure) -> Bool
}

/// The status anew on each change: the kernel and systemd tell, nobody asks in between.
public final class StatusWatch {
  private let reactor: Reactor
  private let sources: [any WatchSource]
  private let report: () -> StatusReport
  /// A change often comes as several signals, and the lock is let go just after the file that it protects is closed: wait so many
  /// seconds for the rest before looking.
  private let settling: Double

  /// - Parameter report: looks at the machine.
  public init(
    reactor: Reactor, sources: [any WatchSource], settling: Double = 0.1, report: @escaping () -> StatusReport
  ) {
    self.reactor = reactor
    self.sources = sources
    self.settling = settling
    self.report = report
  }

  /// Shows the status now and then each that differs from the one before, until `isOver` or a signal.
  ///
  /// - Parameters:
  ///   - reader: where the output goes; the watch ends when nobody reads there any more.
  ///   - redraw: shows the same report again, because the ages in it have grown; seconds until it is due again, nil for never.
  ///   - show: shows a report that says something else than the one before.
  /// - Throws: `.interrupted`.
  /// - Returns: the last report.
  public func run(
    reader: Int32 = 1, redraw: (StatusReport) -> Double? = { _ in nil }, show: (StatusReport) -> Void
  ) throws(Failure) -> StatusReport {
    var last = report()
    show(last)
    while true {
      let due = redraw(last).map { Reactor.monotonic() + $0 }
      guard let changed = try waitForChange(until: due, reader: reader) else { return last }
      if !changed { continue }
      try settle()
      let now = report()
      if now.isSame(as: last) {
        last = now
        continue
      }
      last = now
      show(last)
    }
  }

  /// Whether something changed (false: the time is up); nil when the reader has gone.
  private func waitForChange(until deadline: Double?, reader: Int32) throws(Failure) -> Bool? {
    while true {
      var entries = sources.map(\.entry)
      // No events of its own: an error or hang-up shows for any mask.
      entries.append(pollfd(fd: reader, events: 0, revents: 0))
      try reactor.wait(&entries, until: deadline)
      if entries[sources.count].revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { return nil }
      var changed = false
      for (source, entry) in zip(sources, entries) where entry.revents != 0 {
        if try source.changed() { changed = true }
      }
      if changed { return true }
      if let deadline, Reactor.monotonic() >= deadline { return false }
    }
  }

  private func settle() throws(Failure) {
    try reactor.sleep(seconds: settling)
    var entries = sources.map(\.entry)
    guard poll(&entries, nfds_t(entries.count), 0) > 0 else { return }
    for (source, entry) in zip(sources, entries) where entry.revents != 0 { _ = try source.changed() }
  }
}
