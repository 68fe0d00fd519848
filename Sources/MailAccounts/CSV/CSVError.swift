/// Why bytes are no list of accounts.
public struct CSVError: Error, Equatable, Sendable, CustomStringConvertible {
  /// From 1.
  public var line: Int
  /// A clause without control characters; it never shows a password.
  public var reason: String
  /// What whoever took the row had to say.
  var account: AccountError?

  public init(line: Int, reason: String) {
    self.line = line
    self.reason = reason
  }

  init(_ error: AccountError, line: Int) {
    self.init(line: line, reason: "")
    account = error
  }

  public var description: String { "line \(line): \(reason)" }
}
