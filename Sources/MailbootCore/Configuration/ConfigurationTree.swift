/// Where a value stands, for error messages.
public struct Origin: Equatable, Sendable {
  public var file: String
  /// Both from 1; 0 when the position is not known.
  public var line: Int
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }
}

/// A configuration file's content, free of the library that parsed it, each value with its place.
public struct ConfigurationNode: Equatable, Sendable {
  public enum Value: Equatable, Sendable {
    case string(String)
    case integer(Int)
    case double(Double)
    case boolean(Bool)
    /// Dates and times, which no key takes.
    case temporal
    case array([ConfigurationNode])
    case table([String: ConfigurationNode])
  }

  public var value: Value
  public var origin: Origin

  public init(_ value: Value, at origin: Origin) {
    self.value = value
    self.origin = origin
  }

  /// How a message names the value's type.
  public var typeName: String {
    switch value {
    case .string: "a string"
    case .integer: "an integer"
    case .double: "a number with a fraction"
    case .boolean: "a boolean"
    case .temporal: "a date or time"
    case .array: "an array"
    case .table: "a table"
    }
  }

  /// Lays `later` over this node: tables are merged key by key, everything else (arrays too) is replaced whole.
  public func merged(with later: ConfigurationNode) -> ConfigurationNode {
    guard case .table(var mine) = value, case .table(let theirs) = later.value else { return later }
    for (key, node) in theirs {
      mine[key] = mine[key].map { $0.merged(with: node) } ?? node
    }
    return ConfigurationNode(.table(mine), at: later.origin)
  }
}

/// One thing wrong in a configuration file.
public struct ConfigurationIssue: Error, Equatable, Sendable {
  public var origin: Origin
  /// Dotted, array elements numbered from 1: `service[2].probe`; empty when the file itself is the trouble.
  public var key: String
  public var message: String
  /// What was expected, as an example where that helps.
  public var expected: String?

  public init(origin: Origin, key: String, message: String, expected: String? = nil) {
    self.origin = origin
    self.key = key
    self.message = message
    self.expected = expected
  }
}

/// Everything wrong in the configuration, in the order of the files and lines.
public struct ConfigurationError: Error, Equatable, Sendable {
  public var issues: [ConfigurationIssue]

  public init(issues: [ConfigurationIssue]) {
    self.issues = issues.sorted {
      ($0.origin.file, $0.origin.line, $0.origin.column, $0.key)
        < ($1.origin.file, $1.origin.line, $1.origin.column, $1.key)
    }
  }
}
