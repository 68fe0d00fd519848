import CSystemd
import Glibc

/// What systemd told of a unit that is watched: the states that changed, or all of them.
public struct UnitChange: Sendable, Equatable {
  public let unit: UnitName
  /// `active`, `inactive`, `failed`, …; nil when it was not told.
  public let activeState: String?
  /// `running`, `exited`, `mounted`, `dead`, …; nil when it was not told.
  public let subState: String?
}

/// News from systemd.
public enum UnitEvent: Sendable, Equatable {
  case changed(UnitChange)
  /// systemd reads its configuration anew (true), or has done so (false): what is known of the units may be out of date.
  case reloading(Bool)
  /// systemd itself has started anew, on the bus: what is known of the units may be out of date.
  case restarted
}

/// Watches units by systemd's signals over the bus, and is woken by no other unit.
///
/// Feed it each signal of the endpoint. It believes only systemd: any process can send a signal that looks the same.
public final class UnitWatcher {
  private static let service = "org.freedesktop.systemd1"
  private static let unitPrefix = "/org/freedesktop/systemd1/unit"
  private static let manager = "org.freedesktop.systemd1.Manager"

  private let endpoint: BusEndpoint
  private var watched: Set<UnitName> = []
  /// systemd's connection to the bus; nil while it has none.
  private var systemd: String?

  /// Starts to listen to systemd's manager, of units to none yet.
  ///
  /// - Throws: `isNoOwner` when systemd is not on this bus.
  public init(on endpoint: BusEndpoint) throws(BusError) {
    self.endpoint = endpoint
    try endpoint.addMatch(
      "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',"
        + "path='/org/freedesktop/DBus',arg0='\(Self.service)'")
    try endpoint.addMatch(
      "type='signal',sender='\(Self.service)',path='/org/freedesktop/systemd1',interface='\(Self.manager)',"
        + "member='Reloading'")
    try subscribe()
  }

  /// Has systemd send signals to this connection at all.
  ///
  /// It remembers that while it lives, reloads and starts anew; asking again does no harm.
  public func subscribe() throws(BusError) {
    do {
      _ = try endpoint.call(Self.service, "/org/freedesktop/systemd1", Self.manager, "Subscribe")
    } catch {
      guard error.name == "org.freedesktop.systemd1.AlreadySubscribed" else { throw error }
    }
    systemd = try endpoint.owner(of: Self.service)
  }

  /// Watches exactly these units from now on. Read their states afterwards: a change before is not told.
  ///
  /// - Parameter units: primary names: systemd tells nothing under an alias.
  public func watch(_ units: Set<UnitName>) throws(BusError) {
    for unit in units.subtracting(watched) {
      try endpoint.addMatch(rule(for: unit))
      watched.insert(unit)
    }
    for unit in watched.subtracting(units) {
      try endpoint.removeMatch(rule(for: unit))
      watched.remove(unit)
    }
  }

  /// What a signal tells; nil when it is another signal, one that tells nothing of states, or not from whom it seems to be.
  public func event(from signal: IncomingSignal) throws(BusError) -> UnitEvent? {
    if signal.isSignal("org.freedesktop.DBus", "NameOwnerChanged") { return try ownerChange(signal) }
    guard let systemd, signal.sender == systemd else { return nil }
    if signal.isSignal(Self.manager, "Reloading") {
      let isStarting = try signal.readBool()
      // Some versions forget at a reload to whom they send signals.
      if !isStarting { try subscribe() }
      return .reloading(isStarting)
    }
    return try unitChange(signal).map { .changed($0) }
  }

  private func ownerChange(_ signal: IncomingSignal) throws(BusError) -> UnitEvent? {
    guard signal.sender == "org.freedesktop.DBus", try signal.readString() == Self.service else { return nil }
    _ = try signal.readString()
    let owner = try signal.readString()
    systemd = owner.isEmpty ? nil : owner
    guard systemd != nil else { return nil }
    try subscribe()
    return .restarted
  }

  private func unitChange(_ signal: IncomingSignal) throws(BusError) -> UnitChange? {
    guard signal.isSignal("org.freedesktop.DBus.Properties", "PropertiesChanged"),
      let unit = try unitName(fromPath: signal.path), watched.contains(unit),
      try signal.readString() == "org.freedesktop.systemd1.Unit"
    else { return nil }
    let properties = try signal.readDictionary()
    let change = UnitChange(
      unit: unit, activeState: properties["ActiveState"]?.string, subState: properties["SubState"]?.string)
    return change.activeState == nil && change.subState == nil ? nil : change
  }

  /// A unit has several interfaces and a signal for each that changes: only the one that all units have is of interest.
  private func rule(for unit: UnitName) throws(BusError) -> String {
    "type='signal',sender='\(Self.service)',path='\(try path(of: unit))',"
      + "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',arg0='org.freedesktop.systemd1.Unit'"
  }

  private func path(of unit: UnitName) throws(BusError) -> String {
    var path: UnsafeMutablePointer<CChar>?
    try checked(sd_bus_path_encode(Self.unitPrefix, unit.rawValue, &path), "path of \(unit)")
    defer { free(path) }
    return path.map { String(cString: $0) } ?? ""
  }

  private func unitName(fromPath path: String) throws(BusError) -> UnitName? {
    var name: UnsafeMutablePointer<CChar>?
    let isUnit = try checked(sd_bus_path_decode(path, Self.unitPrefix, &name), "unit of \(path)") > 0
    defer { free(name) }
    return isUnit ? name.map { UnitName(String(cString: $0)) } : nil
  }
}

@available(*, unavailable, message: "sd-bus objects belong to one thread")
extension UnitWatcher: Sendable {}

extension BusEndpoint {
  /// How the whole system fares, as systemd says: `initializing`, `starting`, `running`, `degraded`, `maintenance`,
  /// `stopping`, …
  public func systemState() throws(BusError) -> String {
    let reply = try call(
      "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.DBus.Properties", "Get",
      [.string("org.freedesktop.systemd1.Manager"), .string("SystemState")])
    return try reply.readVariant().string ?? ""
  }
}
