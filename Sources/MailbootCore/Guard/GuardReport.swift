import JSON

/// What of a host is guarded, as `mailboot guard status` says it.
public struct GuardReport: Equatable, Sendable {
  public enum UnitState: String, Sendable {
    case guarded
    case unguarded
    /// Our file says something else than it would now: the configuration has changed since.
    case differs
    /// Our file is there for a unit that is not configured any more.
    case stale
    /// A file of somebody else's has the place of ours.
    case foreign
  }

  public struct Unit: Equatable, Sendable {
    public var name: String
    public var file: String
    public var state: UnitState

    public init(name: String, file: String, state: UnitState) {
      self.name = name
      self.file = file
      self.state = state
    }
  }

  public enum MountPointState: Equatable, Sendable {
    case immutable
    case writable
    /// Files lie in the bare directory; some names as examples.
    case notEmpty([String])
    case missing
    /// The file system knows no such flag.
    case unsupported
    /// It cannot be looked at: why.
    case unknown(String)

    public var word: String {
      switch self {
      case .immutable: "immutable"
      case .writable: "writable"
      case .notEmpty: "not-empty"
      case .missing: "missing"
      case .unsupported: "unsupported"
      case .unknown: "unknown"
      }
    }
  }

  public struct MountPoint: Equatable, Sendable {
    public var path: String
    public var state: MountPointState

    public init(path: String, state: MountPointState) {
      self.path = path
      self.state = state
    }
  }

  public var units: [Unit]
  public var mountPoints: [MountPoint]

  public init(units: [Unit], mountPoints: [MountPoint]) {
    self.units = units
    self.mountPoints = mountPoints
  }

  /// Whether there is nothing left for `guard install` to do. What a file system cannot do, and what only root can see while the
  /// vault is mounted, is held against nobody.
  public var isComplete: Bool {
    units.allSatisfy { $0.state == .guarded }
      && mountPoints.allSatisfy { mountPoint in
        switch mountPoint.state {
        case .immutable, .unsupported, .unknown: true
        case .writable, .notEmpty, .missing: false
        }
      }
  }

  /// 0 all guarded, 3 not.
  public var exitCode: Int32 { isComplete ? 0 : 3 }

  public func json() -> JSONText {
    .object([
      ("guarded", .bool(isComplete)),
      (
        "units",
        .array(
          units.map { unit in
            .object([
              ("unit", .string(unit.name)), ("state", .string(unit.state.rawValue)), ("file", .string(unit.file)),
            ])
          })
      ),
      (
        "mount_points",
        .array(
          mountPoints.map { .object([("path", .string($0.path)), ("state", .string($0.state.word))]) })
      ),
    ])
  }
}

/// One thing that `guard install` or `guard remove` has looked at, and whether it had to change it.
public struct GuardAction: Equatable, Sendable {
  public var subject: String
  public var action: String
  public var outcome: StepOutcome

  public init(subject: String, action: String, outcome: StepOutcome) {
    self.subject = subject
    self.action = action
    self.outcome = outcome
  }
}
