/// The standard error names of the D-Bus specification and its reference implementation.
public enum BusErrorName {
  public static let failed = "org.freedesktop.DBus.Error.Failed"
  public static let accessDenied = "org.freedesktop.DBus.Error.AccessDenied"
  public static let invalidArguments = "org.freedesktop.DBus.Error.InvalidArgs"
  public static let unknownObject = "org.freedesktop.DBus.Error.UnknownObject"
  public static let unknownInterface = "org.freedesktop.DBus.Error.UnknownInterface"
  public static let unknownMethod = "org.freedesktop.DBus.Error.UnknownMethod"
  public static let unknownProperty = "org.freedesktop.DBus.Error.UnknownProperty"
  public static let propertyReadOnly = "org.freedesktop.DBus.Error.PropertyReadOnly"
}

/// The one object of a service, with one interface of its own and properties that are read only.
///
/// Answers the standard interfaces and refuses what does not exist, so that only well-formed calls of the interface's own
/// methods are left. sd-bus itself answers `org.freedesktop.DBus.Peer`.
public struct BusObject {
  public let path: String
  public let interface: String
  /// Each method of the interface with the signature of its arguments: `["Unlock": "ha{sv}"]`.
  public let methods: [String: String]
  /// The whole introspection document.
  public let introspection: String

  public init(path: String, interface: String, methods: [String: String], introspection: String) {
    self.path = path
    self.interface = interface
    self.methods = methods
    self.introspection = introspection
  }

  /// Answers a call of a standard interface or of something that does not exist.
  ///
  /// - Parameter properties: the interface's properties now; asked for only when they are to be read.
  /// - Returns: the call when it is left to the caller: one of `methods`, with the right signature, not yet read.
  public func answer(
    _ call: IncomingCall, properties: () -> [String: BusValue]
  ) throws(BusError) -> IncomingCall? {
    let asked = call.interface
    func isCall(_ interface: String, _ member: String) -> Bool {
      call.member == member && (asked == interface || asked.isEmpty)
    }
    // To read something for nobody is no work worth doing.
    guard call.expectsReply || isCall(interface, call.member) && methods[call.member] != nil else { return nil }
    if isCall("org.freedesktop.DBus.Introspectable", "Introspect") {
      try answerIntrospect(call)
      return nil
    }
    guard call.path == path else {
      try call.replyError(BusErrorName.unknownObject, "there is no object \(call.path)")
      return nil
    }
    if let expected = methods[call.member], asked == interface || asked.isEmpty {
      if call.signature == expected { return call }
      try refuseSignature(call, expected)
      return nil
    }
    if isCall("org.freedesktop.DBus.Properties", "Get") {
      try answerGet(call, properties)
    } else if isCall("org.freedesktop.DBus.Properties", "GetAll") {
      try answerGetAll(call, properties)
    } else if isCall("org.freedesktop.DBus.Properties", "Set") {
      try refuseSet(call, properties)
    } else if ["", interface, "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.Introspectable"].contains(asked)
    {
      try call.replyError(BusErrorName.unknownMethod, "there is no method \(call.member)")
    } else {
      try call.replyError(BusErrorName.unknownInterface, "there is no interface \(asked)")
    }
    return nil
  }

  private func answerIntrospect(_ call: IncomingCall) throws(BusError) {
    if call.path == path { return try call.reply(.string(introspection)) }
    // The objects above ours exist only to be walked through.
    let above = call.path == "/" ? "/" : call.path + "/"
    guard path.hasPrefix(above), let child = path.dropFirst(above.count).split(separator: "/").first else {
      return try call.replyError(BusErrorName.unknownObject, "there is no object \(call.path)")
    }
    try call.reply(.string("<node><node name=\"\(child)\"/></node>"))
  }

  private func answerGet(_ call: IncomingCall, _ properties: () -> [String: BusValue]) throws(BusError) {
    guard call.signature == "ss" else { return try refuseSignature(call, "ss") }
    guard try isOurs(call, try call.readName()) else { return }
    let name = try call.readName()
    guard let value = properties()[name] else {
      return try call.replyError(BusErrorName.unknownProperty, "there is no property \(name)")
    }
    try call.reply(.variant(value))
  }

  private func answerGetAll(_ call: IncomingCall, _ properties: () -> [String: BusValue]) throws(BusError) {
    guard call.signature == "s" else { return try refuseSignature(call, "s") }
    guard try isOurs(call, try call.readName()) else { return }
    try call.reply(.dictionary(properties()))
  }

  private func refuseSet(_ call: IncomingCall, _ properties: () -> [String: BusValue]) throws(BusError) {
    guard call.signature == "ssv" else { return try refuseSignature(call, "ssv") }
    guard try isOurs(call, try call.readName()) else { return }
    let name = try call.readName()
    if properties()[name] == nil {
      try call.replyError(BusErrorName.unknownProperty, "there is no property \(name)")
    } else {
      try call.replyError(BusErrorName.propertyReadOnly, "\(name) is read only")
    }
  }

  /// Whether the interface whose properties are asked for is ours; an empty one stands for all. Answers otherwise.
  private func isOurs(_ call: IncomingCall, _ asked: String) throws(BusError) -> Bool {
    if asked.isEmpty || asked == interface { return true }
    try call.replyError(BusErrorName.unknownInterface, "there is no interface \(asked)")
    return false
  }

  private func refuseSignature(_ call: IncomingCall, _ expected: String) throws(BusError) {
    try call.replyError(
      BusErrorName.invalidArguments, "\(call.member) takes \"\(expected)\", not \"\(call.signature)\"")
  }
}
