/// Something that `check` found.
public struct AccountFinding: Equatable, Sendable {
  public enum Severity: String, Sendable, CaseIterable {
    /// Mail or logins go wrong.
    case error
    /// They may, or it is less safe than it should be.
    case warning
  }

  public var severity: Severity
  /// The kind of finding, for programs: `orphan`, `domain`, `loop`, `dead-end`, `name`, `login`, `password`, `role`, `mode`, `catch-all`…
  public var kind: String
  /// What it is about: an address, a domain, a file.
  public var subject: String
  /// One sentence about it.
  public var message: String
  /// A command that mends it, or what to do.
  public var hint: Advice?

  public init(_ severity: Severity, _ kind: String, _ subject: String, _ message: String, hint: Advice? = nil) {
    self.severity = severity
    self.kind = kind
    self.subject = subject
    self.message = message
    self.hint = hint
  }
}
