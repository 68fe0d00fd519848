import CSystemd
import Glibc

extension SystemdManager {
  /// The states of units, by the names asked for, in one `ListUnitsByNames` call. An unknown unit is `not-found`; a
  /// name that cannot be a unit's is missing in the answer.
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
  /// - Parameter withTheirType: false leaves out what only services, mounts and sockets have, two thirds of all: what their
  ///   processes did, commands and limits.
  public func details(of units: [UnitName], withTheirType: Bool = true) throws(BusError) -> [UnitName: UnitDetails] {
    // No interface: those of the unit and of its type in one message. systemd spends its time per message (15 ms in an
    // emulated machine) rather than per property: `GetAll` and five times `Get` took it twice as long.
    let replies = try callAll("GetAll", units, arguments: [withTheirType ? "" : "org.freedesktop.systemd1.Unit"])
    var details: [UnitName: UnitDetails] = [:]
    for (unit, reply) in replies {
      details[unit] = UnitDetails(try reply.readDictionary(only: UnitDetails.properties), fallback: unit)
    }
    return details
  }

  /// Calls a method of `org.freedesktop.DBus.Properties` on each unit, all at once.
  private func callAll(
    _ method: String, _ units: [UnitName], arguments: [String]
  ) throws(BusError) -> [(UnitName, BusMessage)] {
    var calls: [BusMessage] = []
    for unit in units {
      let message = try connection.newCall(
        path: objectPath(of: unit), interface: "org.freedesktop.DBus.Properties", member: method,
        subject: unit.rawValue)
      for argument in arguments { try message.append(argument) }
      calls.append(message)
    }
    var replies: [(UnitName, BusMessage)] = []
    for (unit, reply) in zip(units, try connection.call(calls)) { replies.append((unit, try reply.get())) }
    return replies
  }

  /// The unit's object; systemd loads the unit when it is asked for one.
  private func objectPath(of unit: UnitName) throws(BusError) -> String {
    var path: UnsafeMutablePointer<CChar>?
    try checked(sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.rawValue, &path), "path of \(unit)")
    defer { free(path) }
    return path.map { String(cString: $0) } ?? ""
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
  /// All that is read below. Reading the rest as well took `status` as long as systemd took to send it.
  fileprivate static let properties: Set<String> = [
    "Job", "Id", "LoadState", "ActiveState", "SubState", "Names", "Wants", "Requires", "ConsistsOf", "Conflicts",
    "TriggeredBy", "UnitFileState", "ActiveEnterTimestamp", "NeedDaemonReload", "Result", "ExecMainCode",
    "ExecMainStatus", "ExecStartPre", "ControlPID", "TimeoutStartUSec", "ConditionResult", "Conditions", "Asserts",
  ]

  init(_ properties: [String: BusValue], fallback unit: UnitName) {
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
    triggeredBy = units("TriggeredBy")
    fileState = text("UnitFileState")
    activeEnterMicroseconds = UInt64(properties["ActiveEnterTimestamp"]?.number ?? 0)
    needsReload = properties["NeedDaemonReload"]?.bool ?? false
    result = properties["Result"]?.string
    execMainCode = Int32(truncatingIfNeeded: properties["ExecMainCode"]?.number ?? 0)
    execMainStatus = Int32(truncatingIfNeeded: properties["ExecMainStatus"]?.number ?? 0)
    conditionsHeld = properties["ConditionResult"]?.bool ?? false
    conditions = properties["Conditions"]?.conditions ?? []
    assertions = properties["Asserts"]?.conditions ?? []
    controlPID = Int32(truncatingIfNeeded: properties["ControlPID"]?.number ?? 0)
    startPre = properties["ExecStartPre"]?.commands ?? []
    startTimeoutMicroseconds = properties["TimeoutStartUSec"]?.number.flatMap { $0 == UInt64.max ? nil : UInt64($0) }
  }
}
