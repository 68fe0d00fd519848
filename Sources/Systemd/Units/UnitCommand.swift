/// A command of a service unit (`ExecStartPre=` and the like), and how it went when it last ran.
public struct UnitCommand: Sendable, Equatable {
  /// As the unit names the program: a path, or a name that systemd looks for.
  public var path: String
  public var arguments: [String]
  /// Whether the unit goes on when it fails (`-` before it).
  public var ignoresFailure = false
  /// When it began: `CLOCK_MONOTONIC` microseconds, 0 for never.
  public var beganMicroseconds: UInt64 = 0
  /// When it ended; 0 while it runs.
  public var endedMicroseconds: UInt64 = 0
  public var pid: UInt32 = 0
  /// `CLD_EXITED` (1), `CLD_KILLED` (2), `CLD_DUMPED` (3).
  public var code: Int32 = 0
  /// The exit status, or the signal that ended it.
  public var status: Int32 = 0

  public init(path: String, arguments: [String]) {
    self.path = path
    self.arguments = arguments
  }

  /// Whether it has begun and not ended.
  public var isRunning: Bool { beganMicroseconds > 0 && endedMicroseconds == 0 }
  /// Whether it has ended by itself, with status 0.
  public var hasPassed: Bool { endedMicroseconds > 0 && code == 1 && status == 0 }
}

extension BusMessage {
  /// How systemd lists commands in a property.
  static let unitCommandsSignature = "a(sasbttttuii)"

  func readUnitCommands() throws(BusError) -> [UnitCommand] {
    var commands: [UnitCommand] = []
    try enter(BusType.array, "(sasbttttuii)")
    while try enter(BusType.structure, "sasbttttuii") {
      var command = UnitCommand(path: try readString(), arguments: try readStrings())
      command.ignoresFailure = try readBool()
      // Each time stands there twice, by the calendar and monotonic.
      _ = try readUInt64()
      command.beganMicroseconds = try readUInt64()
      _ = try readUInt64()
      command.endedMicroseconds = try readUInt64()
      command.pid = try readUInt32()
      command.code = try readInt32()
      command.status = try readInt32()
      commands.append(command)
      try exit()
    }
    try exit()
    return commands
  }
}
