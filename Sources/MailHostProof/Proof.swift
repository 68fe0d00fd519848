/// What one look at the mail host's behaviour came to.
public struct Proof: Equatable, Sendable {
  public enum Result: String, Sendable {
    case pass, fail
    /// It could not be tried; never counted as passed.
    case skip
  }

  /// A label for metrics and JSON: `open-relay`.
  public var name: String
  public var result: Result
  /// What was seen: the server's own line where there is one.
  public var detail: String
  /// What to do about it.
  public var hint: String?

  public init(_ name: String, _ result: Result, _ detail: String, hint: String? = nil) {
    self.name = name
    self.result = result
    self.detail = detail
    self.hint = hint
  }
}
