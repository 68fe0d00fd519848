import CSystemd
import Glibc

extension SystemdManager {
  /// The states of units, by the names asked for, in one `ListUnitsByNames` call. An unknown unit is `not-found`.
  public func states(of units: [UnitName]) throws(BusError) -> [UnitName: UnitState] {
    let message = try connection.newCall(member: "ListUnitsByNames")
    try message.append(units.map(\.rawValue))
    let reply = try connection.call(message)
    var states: [UnitState] = []
    try reply.enter(BusType.array, "(ssssssouso)")
    while try reply.enter(BusType.structure, "ssssssouso") {
      states.append(try reply.readUnitState())
      try reply.exit()
    }
    try reply.exit()
    // systemd answers in the order asked, under the primary names, and leaves out names that are not valid.
    guard states.count == units.count else {
      let byName = Dictionary(states.map { ($0.name, $0) }) { first, _ in first }
      return byName.filter { units.contains($0.key) }
    }
    return Dictionary(zip(units, states)) { first, _ in first }
  }

  /// The properties of units, by the names asked for, in one round trip. An unknown unit has load state `not-found`.
  public func details(of units: [UnitName]) throws(BusError) -> [UnitName: UnitDetails] {
    var calls: [BusMessage] = []
    for unit in units {
      let path = try objectPath(of: unit)
      calls.append(try propertiesCall("GetAll", path, unit, [Self.unitInterface]))
      let (interface, names) = Self.typeProperties(of: unit)
      // One by one: all properties of a service are some hundred, and take systemd longer than these few.
      for name in names { calls.append(try propertiesCall("Get", path, unit, [interface, name])) }
    }
    var replies = try connection.call(calls)[...]
    var details: [UnitName: UnitDetails] = [:]
    for unit in units {
      guard var properties = try replies.popFirst()?.get().readProperties() else { break }
      for name in Self.typeProperties(of: unit).names {
        // A property that this version of systemd does not have is not there; the unit itself has answered.
        if case .success(let reply)? = replies.popFirst() { properties[name] = try reply.readVariant() }
      }
      details[unit] = UnitDetails(properties, fallback: unit)
    }
    return details
  }

  /// The units that do the work of this one, with systemd asked how it is made up.
  public func workingUnits(of unit: UnitName) throws(BusError) -> [UnitName] {
    guard let details = try details(of: [unit])[unit] else { return [unit] }
    return Systemd.workingUnits(of: details)
  }

  private static let unitInterface = "org.freedesktop.systemd1.Unit"

  /// What is read of a unit beyond the properties common to all types.
  private static func typeProperties(of unit: UnitName) -> (interface: String, names: [String]) {
    switch unit.type {
    case "service":
      let names = ["Result", "MainPID", "StatusText", "ExecMainCode", "ExecMainStatus"]
      return ("org.freedesktop.systemd1.Service", names)
    case "mount": return ("org.freedesktop.systemd1.Mount", ["Result"])
    case "socket": return ("org.freedesktop.systemd1.Socket", ["Result"])
    default: return ("", [])
    }
  }

  /// The unit's object; systemd loads the unit when it is asked for one.
  private func objectPath(of unit: UnitName) throws(BusError) -> String {
    var path: UnsafeMutablePointer<CChar>?
    try checked(sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.rawValue, &path), "path of \(unit)")
    defer { free(path) }
    return path.map { String(cString: $0) } ?? ""
  }

  private func propertiesCall(
    _ member: String, _ path: String, _ unit: UnitName, _ arguments: [String]
  ) throws(BusError) -> BusMessage {
    let message = try connection.newCall(
      path: path, interface: "org.freedesktop.DBus.Properties", member: member, subject: unit.rawValue)
    for argument in arguments { try message.append(argument) }
    return message
  }
}

extension BusMessage {
  /// One entry of `ListUnitsByNames`: name, description, load, active and sub state, followed unit, path, job.
  fileprivate func readUnitState() throws(BusError) -> UnitState {
    let name = try readString()
    try skip("s")
    let (load, active, sub) = (try readString(), try readString(), try readString())
    try skip("so")
    let job = try readUInt32()
    try skip("so")
    return UnitState(
      name: UnitName(name), loadState: load, activeState: active, subState: sub, job: job == 0 ? nil : JobID(job))
  }
}

extension UnitDetails {
  init(_ properties: [String: PropertyValue], fallback unit: UnitName) {
    func units(_ key: String) -> [UnitName] { (properties[key]?.strings ?? []).map { UnitName($0) } }
    func text(_ key: String) -> String { properties[key]?.string ?? "" }
    let job = properties["Job"]?.number ?? 0
    self.init(
      state: UnitState(
        name: properties["Id"]?.string.map { UnitName($0) } ?? unit, loadState: text("LoadState"),
        activeState: text("ActiveState"), subState: text("SubState"),
        job: job == 0 ? nil : JobID(UInt32(truncatingIfNeeded: job))))
    names = units("Names")
    wants = units("Wants")
    requires = units("Requires")
    consistsOf = units("ConsistsOf")
    conflicts = units("Conflicts")
    unitFileState = text("UnitFileState")
    activeEnterMicroseconds = UInt64(properties["ActiveEnterTimestamp"]?.number ?? 0)
    inactiveEnterMicroseconds = UInt64(properties["InactiveEnterTimestamp"]?.number ?? 0)
    invocationID = (properties["InvocationID"]?.bytes ?? []).map(hexadecimal).joined()
    canStart = properties["CanStart"]?.bool ?? false
    canStop = properties["CanStop"]?.bool ?? false
    result = properties["Result"]?.string
    mainPID = UInt32(truncatingIfNeeded: properties["MainPID"]?.number ?? 0)
    statusText = properties["StatusText"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    execMainCode = Int32(truncatingIfNeeded: properties["ExecMainCode"]?.number ?? 0)
    execMainStatus = Int32(truncatingIfNeeded: properties["ExecMainStatus"]?.number ?? 0)
  }
}
