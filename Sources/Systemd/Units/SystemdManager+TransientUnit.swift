/// A property of a transient unit, by its D-Bus name (org.freedesktop.systemd1(5)), not that of the unit file.
public struct UnitProperty: Sendable, Equatable {
  public let name: String
  /// systemd insists on the exact type of each property: times are `.uint64`, in microseconds (`TimeoutStopUSec`).
  public let value: BusValue

  public init(_ name: String, _ value: BusValue) {
    self.name = name
    self.value = value
  }
}

/// A property as it is sent: besides plain values those that only systemd's services have.
enum TransientProperty: Equatable {
  case value(UnitProperty)
  /// A descriptor for the unit's processes, such as `StandardInputFileDescriptor`.
  case descriptor(name: String, Int32)
  /// The one command of a service, `ExecStartEx`: the program's path, and `argv` with its name first, taken literally.
  case command(path: String, argv: [String])
}

extension SystemdManager {
  /// Queues the start of a unit that is made for this purpose (`StartTransientUnit`, mode `replace`).
  func startTransientUnit(_ name: UnitName, _ properties: [TransientProperty]) throws(BusError) -> JobID {
    let message = try connection.newCall(member: "StartTransientUnit", subject: name.rawValue)
    try message.append(name.rawValue)
    try message.append("replace")
    try message.container(BusType.array, "(sv)") { () throws(BusError) in
      for property in properties { try message.append(property) }
    }
    // No auxiliary units.
    try message.container(BusType.array, "(sa(sv))") { () throws(BusError) in }
    return try queueJob(message)
  }
}

extension BusMessage {
  /// Appends one `(sv)`.
  fileprivate func append(_ property: TransientProperty) throws(BusError) {
    try container(BusType.structure, "sv") { () throws(BusError) in
      switch property {
      case .value(let property):
        try append(property.name)
        try appendVariant(property.value)
      case .descriptor(let name, let descriptor):
        try append(name)
        try container(BusType.variant, "h") { () throws(BusError) in try append(descriptor: descriptor) }
      case .command(let path, let argv):
        try append("ExecStartEx")
        try container(BusType.variant, "a(sasas)") { () throws(BusError) in
          try container(BusType.array, "(sasas)") { () throws(BusError) in
            try container(BusType.structure, "sasas") { () throws(BusError) in
              try append(path)
              try append(argv)
              // An argument may contain a `$`.
              try append(["no-env-expand"])
            }
          }
        }
      }
    }
  }
}
