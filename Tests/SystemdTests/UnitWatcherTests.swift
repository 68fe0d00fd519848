import Foundation
import Systemd
import Testing

/// With the real systemd and a dbus-daemon.
@Suite(.enabled(if: UserManager.canRun, "only root can give systemd a /run of its own"))
struct UnitWatcherTests {
  private let machine: UserManager
  private let systemd: SystemdManager
  private let endpoint: BusEndpoint
  private let watcher: UnitWatcher
  private let dovecot: UnitName = "dovecot@inbox.service"

  init() throws {
    machine = try UserManager()
    for unit in ["dovecot@.service", "other.service"] {
      try machine.write(unit, "[Unit]\nDefaultDependencies=no\n[Service]\nType=exec\nExecStart=sleep 100\n")
    }
    systemd = try machine.connect()
    endpoint = try machine.connectToBus()
    watcher = try UnitWatcher(on: endpoint)
  }

  /// Collects events until one that is the last.
  private func events(until isLast: (UnitEvent) -> Bool) throws -> [UnitEvent] {
    var events: [UnitEvent] = []
    return try nextMessage(on: endpoint) { message in
      guard case .signal(let signal) = message, let event = try watcher.event(from: signal) else { return nil }
      events.append(event)
      return isLast(event) ? events : nil
    }
  }

  private func change(_ event: UnitEvent) -> UnitChange? {
    if case .changed(let change) = event { change } else { nil }
  }

  @Test func watchedUnitTellsItsStatesAndOthersWakeNobody() throws {
    try watcher.watch([dovecot])
    // Forget what was sent to the connection itself, such as its name.
    while try endpoint.nextMessage() != nil {}
    #expect(try systemd.result(of: systemd.start("other.service")) == "done")
    #expect(try systemd.result(of: systemd.stop("other.service")) == "done")
    var waiting = pollfd(fd: endpoint.descriptor, events: Int16(POLLIN), revents: 0)
    #expect(poll(&waiting, 1, 300) == 0)

    #expect(try systemd.result(of: systemd.start(dovecot)) == "done")
    let started = try events { change($0)?.activeState == "active" }
    #expect(
      started.allSatisfy { change($0)?.unit == dovecot } && change(started[started.count - 1])?.subState == "running")
    try systemd.kill(dovecot, .main, signal: SIGKILL)
    let failed = try events { change($0)?.activeState == "failed" }
    #expect(failed.allSatisfy { change($0)?.unit == dovecot })
  }

  @Test func unitIsToldOfOnlyWhileItIsWatched() throws {
    try watcher.watch([dovecot, "other.service"])
    try watcher.watch(["other.service"])
    #expect(try systemd.result(of: systemd.start(dovecot)) == "done")
    #expect(try systemd.result(of: systemd.start("other.service")) == "done")
    let seen = try events { change($0)?.activeState == "active" }
    #expect(seen.allSatisfy { change($0)?.unit == "other.service" })
  }

  @Test func forgedSignalIsNotBelieved() throws {
    try watcher.watch([dovecot])
    let forger = try BusEndpoint(address: machine.busAddress)
    try forger.emit(
      "/org/freedesktop/systemd1/unit/dovecot_40inbox_2eservice", "org.freedesktop.DBus.Properties",
      "PropertiesChanged",
      [
        .string("org.freedesktop.systemd1.Unit"), .dictionary(["ActiveState": .string("failed")]),
        .value(.strings([])),
      ], to: endpoint.uniqueName())
    try forger.emit(
      "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged",
      [.string("org.freedesktop.systemd1"), .string(""), .string(try forger.uniqueName())], to: endpoint.uniqueName())
    try forger.emit(
      "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Reloading", [.value(.bool(true))],
      to: endpoint.uniqueName())
    try forger.emit("/", "test.Forger", "End", [], to: endpoint.uniqueName())
    let believed = try nextMessage(on: endpoint) { message -> [UnitEvent]? in
      guard case .signal(let signal) = message else { return nil }
      if signal.isSignal("test.Forger", "End") { return [] }
      return try watcher.event(from: signal).map { [$0] }
    }
    #expect(believed == [])
  }

  @Test func reloadIsToldAndUnitsAreWatchedOn() throws {
    try watcher.watch([dovecot])
    let cookie = try endpoint.send(
      "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Reload")
    #expect(try events { $0 == .reloading(false) }.contains(.reloading(true)))
    _ = cookie
    #expect(try systemd.result(of: systemd.start(dovecot)) == "done")
    #expect(try !events { change($0)?.activeState == "active" }.isEmpty)
  }

  @Test func systemdThatStartsAnewIsToldAndUnitsAreWatchedOn() throws {
    try watcher.watch([dovecot])
    let cookie = try endpoint.send(
      "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Reexecute")
    _ = cookie
    #expect(try events { $0 == .restarted }.last == .restarted)
    let anew = try machine.connect()
    #expect(try anew.result(of: anew.start(dovecot)) == "done")
    #expect(try !events { change($0)?.activeState == "active" }.isEmpty)
  }
}
