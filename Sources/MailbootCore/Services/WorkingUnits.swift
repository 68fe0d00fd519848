import JSON

/// Which units do each service's work: what systemd's unit files say, not what runs. Asking systemd for it is most of a `status`.
public struct WorkingUnits: Equatable, Sendable {
  /// Unit names by service name.
  public var byService: [String: [String]]
  /// The unit files this was read from; see `unitFilesStamp`.
  public var stamp: String

  public init(byService: [String: [String]], stamp: String) {
    self.byService = byService
    self.stamp = stamp
  }

  /// The entries `units` and `units_stamp` of a record.
  static func entries(_ working: WorkingUnits?) -> [(String, JSONText)] {
    let units = working?.byService.sorted { $0.key < $1.key }.map {
      ($0.key, JSONText.array($0.value.map(JSONText.string)))
    }
    return [("units", units.map(JSONText.object) ?? .null), ("units_stamp", .optional(working?.stamp))]
  }

  /// From such a record; nil when it has none.
  init?(record json: JSONText) {
    guard let members = json["units"]?.members, let stamp = json["units_stamp"]?.text else { return nil }
    self.init(byService: [:], stamp: stamp)
    for (name, list) in members { byService[name] = list.items?.compactMap(\.text) ?? [] }
  }
}
