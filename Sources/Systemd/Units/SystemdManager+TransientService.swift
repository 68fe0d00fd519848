import CSystemd

/// A service that is made for one run of a program and forgotten when it has ended.
public struct TransientService: Sendable, Equatable {
  public var name: UnitName
  public var description: String
  /// The absolute path of the program.
  public var executable: String
  /// The arguments after the program's name.
  public var arguments: [String]
  /// `NAME=value` each; the rest of the environment is what systemd gives every service.
  public var environment: [String]
  /// What the program reads as its standard input; nil for `/dev/null`.
  ///
  /// systemd keeps a duplicate of its own until the service has ended.
  public var standardInput: Int32?
  /// Where the program's standard output goes; nil for the journal. Its standard error always goes to the journal.
  ///
  /// systemd keeps a duplicate of its own until the service has ended: a reader sees the end of a pipe only then, and
  /// later than the program's own end.
  public var standardOutput: Int32?
  /// What the journal calls the program; empty for its file name.
  public var syslogIdentifier: String
  /// After this time the service is stopped and has failed with result `timeout`; nil for no limit.
  public var runtimeMaxMicroseconds: UInt64?
  /// From SIGTERM to SIGKILL; nil for systemd's default.
  public var timeoutStopMicroseconds: UInt64?
  /// More properties, for instance of the sandbox. They come last, and so win over those above.
  public var extra: [UnitProperty]

  public init(
    name: UnitName, description: String, executable: String, arguments: [String] = [], environment: [String] = [],
    standardInput: Int32? = nil, standardOutput: Int32? = nil, syslogIdentifier: String = "",
    runtimeMaxMicroseconds: UInt64? = nil, timeoutStopMicroseconds: UInt64? = nil, extra: [UnitProperty] = []
  ) {
    self.name = name
    self.description = description
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.standardInput = standardInput
    self.standardOutput = standardOutput
    self.syslogIdentifier = syslogIdentifier
    self.runtimeMaxMicroseconds = runtimeMaxMicroseconds
    self.timeoutStopMicroseconds = timeoutStopMicroseconds
    self.extra = extra
  }
}

extension SystemdManager {
  /// Queues the start of a service as `systemd-run --collect --service-type=exec` does.
  ///
  /// The job ends as `done` once the program runs, and as `failed` when it could not be executed. The unit is forgotten
  /// when the program has ended, whatever came of it: learn the result from the program's own output, or watch the unit.
  /// Every process of the service is killed with it.
  /// - Throws: `isUnitExists` when a unit of that name is loaded.
  public func start(_ service: TransientService) throws(BusError) -> JobID {
    try startTransientUnit(service.name, transientServiceProperties(service))
  }

  /// Which of a unit's processes a signal is for.
  public enum SignalTarget: String, Sendable {
    case all, main, control
  }

  /// Sends a signal to processes of a unit (`KillUnit`). Throws `isNoSuchUnit` when it is not loaded, and
  /// `isNoSuchProcess` when it has no such process.
  public func kill(_ unit: UnitName, _ target: SignalTarget = .all, signal: Int32) throws(BusError) {
    let message = try connection.newCall(member: "KillUnit", subject: unit.rawValue)
    try message.append(unit.rawValue)
    try message.append(target.rawValue)
    try message.append(signal, as: BusType.int32)
    _ = try connection.call(message)
  }

  /// How the whole system fares: `initializing`, `starting`, `running`, `degraded`, `maintenance`, `stopping`, …
  public func systemState() throws(BusError) -> String {
    let message = try connection.newCall(interface: "org.freedesktop.DBus.Properties", member: "Get")
    try message.append("org.freedesktop.systemd1.Manager")
    try message.append("SystemState")
    return try connection.call(message).readVariant().string ?? ""
  }
}

/// The properties of a service like those `systemd-run` sets.
func transientServiceProperties(_ service: TransientService) -> [TransientProperty] {
  var properties: [TransientProperty] = []
  func set(_ name: String, _ value: BusValue) { properties.append(.value(UnitProperty(name, value))) }
  set("Description", .string(service.description))
  set("CollectMode", .string("inactive-or-failed"))
  set("Type", .string("exec"))
  set("KillMode", .string("control-group"))
  set("StandardError", .string("journal"))
  if let input = service.standardInput {
    properties.append(.descriptor(name: "StandardInputFileDescriptor", input))
  }
  if let output = service.standardOutput {
    // With the default, which is the journal too, systemd would take standard error for a copy of standard output, and
    // give it the descriptor. What this setting says is replaced by the descriptor.
    set("StandardOutput", .string("null"))
    properties.append(.descriptor(name: "StandardOutputFileDescriptor", output))
  } else {
    set("StandardOutput", .string("journal"))
  }
  if !service.syslogIdentifier.isEmpty { set("SyslogIdentifier", .string(service.syslogIdentifier)) }
  if !service.environment.isEmpty { set("Environment", .strings(service.environment)) }
  if let limit = service.runtimeMaxMicroseconds { set("RuntimeMaxUSec", .uint64(limit)) }
  if let limit = service.timeoutStopMicroseconds { set("TimeoutStopUSec", .uint64(limit)) }
  properties.append(.command(path: service.executable, argv: [service.executable] + service.arguments))
  return properties + service.extra.map { .value($0) }
}
