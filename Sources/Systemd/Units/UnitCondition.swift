/// A condition or assertion of a unit (`ConditionPathExists=` and the like), and how it went when it was last looked at.
public struct UnitCondition: Sendable, Equatable, CustomStringConvertible {
  /// As in a unit file: `ConditionPathExists`.
  public var name: String
  public var parameter: String
  /// Whether one of several that are marked with `|` is enough.
  public var isTriggering = false
  public var isNegated = false
  /// Nil: it was not looked at.
  public var holds: Bool?

  public init(name: String, parameter: String) {
    self.name = name
    self.parameter = parameter
  }

  /// As it stands in a unit file: `ConditionPathExists=!/etc/nologin`.
  public var description: String {
    "\(name)=\(isTriggering ? "|" : "")\(isNegated ? "!" : "")\(parameter)"
  }
}

extension BusMessage {
  /// How systemd lists conditions in a property.
  static let unitConditionsSignature = "a(sbbsi)"

  func readUnitConditions() throws(BusError) -> [UnitCondition] {
    var conditions: [UnitCondition] = []
    try enter(BusType.array, "(sbbsi)")
    while try enter(BusType.structure, "sbbsi") {
      var condition = UnitCondition(name: try readString(), parameter: "")
      condition.isTriggering = try readBool()
      condition.isNegated = try readBool()
      condition.parameter = try readString()
      let result = try readInt32()
      condition.holds = result == 0 ? nil : result > 0
      conditions.append(condition)
      try exit()
    }
    try exit()
    return conditions
  }
}
