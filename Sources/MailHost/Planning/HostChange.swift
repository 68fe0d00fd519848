import JSON

/// One thing that `apply` would do.
public struct HostChange: Equatable, Sendable {
  public enum Kind: String, Sendable {
    case package, group, user, directory, file, unit, database, account, key
    /// A sieve script of all users, in the vault.
    case filter
    case guarding = "guard"
  }

  public enum Action: String, Sendable {
    case install, create, change, remove, enable
    /// It needs the vault, which is closed.
    case wait
    /// It needs the administrator's word: the file is somebody else's, or was edited.
    case decide
    /// It was edited, and is to stay so.
    case keep
  }

  public var kind: Kind
  public var action: Action
  /// What it is about: a path, a package, an address.
  public var subject: String
  /// Why, or how it is now: `mode 0644, not 0640`.
  public var reason: String?
  /// A unified diff, of files.
  public var diff: [String] = []

  public init(_ kind: Kind, _ action: Action, _ subject: String, reason: String? = nil, diff: [String] = []) {
    self.kind = kind
    self.action = action
    self.subject = subject
    self.reason = reason
    self.diff = diff
  }

  var json: JSONText {
    .object([
      ("kind", .string(kind.rawValue)), ("action", .string(action.rawValue)), ("subject", .string(subject)),
      ("reason", .optional(reason)), ("diff", .array(diff.map(JSONText.string))),
    ])
  }
}

/// What keeps `apply` from beginning, and what to do about it.
public struct HostObstacle: Equatable, Sendable {
  public var text: String
  public var hint: String

  public init(_ text: String, hint: String) {
    self.text = text
    self.hint = hint
  }
}

/// What differs between the host and the settings.
public struct HostPlan: Equatable, Sendable {
  public var changes: [HostChange] = []
  /// What is so, and not good: said each time, and in nobody's way.
  public var warnings: [String] = []
  /// What keeps `apply` from beginning: a certificate that is not there, a port that somebody else has.
  public var obstacles: [HostObstacle] = []

  public init() {}

  /// Whether there is nothing to do and nothing to wait for.
  public var isEmpty: Bool { changes.allSatisfy { $0.action == .keep } && obstacles.isEmpty }
  /// Whether `apply` has something to do now.
  public var isDue: Bool { changes.contains { ![.keep, .wait].contains($0.action) } }
  public var undecided: [HostChange] { changes.filter { $0.action == .decide } }

  public var json: JSONText {
    .object([
      ("schema", .integer(1)), ("changes", .array(changes.map(\.json))),
      ("warnings", .array(warnings.map(JSONText.string))), ("obstacles", .array(obstacles.map { .string($0.text) })),
    ])
  }
}
