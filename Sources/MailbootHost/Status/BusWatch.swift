import Glibc
import MailbootCore
import Systemd

/// What the system bus tells: the units' states from systemd, and each change from mailboot's own service while it runs.
///
/// Signals only say when to look; what is true is looked at afterwards. So a false one does no harm.
final class BusWatch: WatchSource {
  private static let service = "org.mailboot1"
  private static let mostAtOnce = 256
  private let endpoint: BusEndpoint
  private let units: UnitWatcher
  private var isConnected = true

  init(_ configuration: Configuration) throws(Failure) {
    do {
      endpoint = try BusEndpoint()
      units = try UnitWatcher(on: endpoint)
      // Under their primary names: systemd tells nothing under an alias.
      let services = try Observer(configuration).services(try SystemdManager())
      try units.watch(Set(services.flatMap(\.units).map { UnitName($0.unit) }))
      try endpoint.addMatch(
        "type='signal',sender='\(Self.service)',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'")
      try endpoint.addMatch(
        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',"
          + "arg0='\(Self.service)'")
      // What came while all this was asked: `poll(2)` would not tell.
      _ = try drain()
    } catch {
      throw Failure(error)
    }
  }

  /// Without a bus there is nothing to wait for; `poll(2)` passes over it then.
  var entry: pollfd {
    isConnected
      ? pollfd(fd: endpoint.descriptor, events: endpoint.pollEvents(), revents: 0)
      : pollfd(fd: -1, events: 0, revents: 0)
  }

  func changed() throws(Failure) -> Bool {
    do {
      return try drain()
    } catch {
      guard error.isDisconnected else { throw Failure(error) }
      isConnected = false
      return true
    }
  }

  private func drain() throws(BusError) -> Bool {
    var changed = false
    // Anybody may send us signals without end.
    for _ in 0..<Self.mostAtOnce {
      guard let message = try endpoint.nextMessage() else { break }
      guard case .signal(let signal) = message else { continue }
      if signal.member == "PropertiesChanged" || signal.member == "NameOwnerChanged" { changed = true }
      _ = try units.event(from: signal)
    }
    return changed
  }
}
