import JSON

/// One state of the host's files, as it is kept in `/var/lib/mailhost/generations/NUMBER`: the files as we wrote them (`files/PATH`) and
/// what was there before (`before/PATH`), with this as `generation.json`.
public struct Generation: Codable, Equatable, Sendable {
  /// One file of it.
  public struct Entry: Codable, Equatable, Sendable {
    public var path: String
    /// As it is in this generation; nil: it is not there.
    public var present: Attributes?
    /// As it was before; nil: it was not there.
    public var before: Attributes?
    /// Who has to be told when it changes: a ``HostFile/Reader``.
    public var reader: String

    public init(path: String, present: Attributes?, before: Attributes?, reader: String) {
      self.path = path
      self.present = present
      self.before = before
      self.reader = reader
    }
  }

  /// Mode and owners, by name: numbers may differ where a host is set up anew.
  public struct Attributes: Codable, Equatable, Sendable {
    public var mode: UInt32
    public var owner: String
    public var group: String

    public init(mode: UInt32, owner: String, group: String) {
      self.mode = mode
      self.owner = owner
      self.group = group
    }
  }

  public var schema = 1
  public var number: Int
  /// RFC 3339.
  public var at: String
  /// `apply`, or `rollback to 3`.
  public var reason: String
  /// `postfix 3.10.13, dovecot 2.4.1 …`.
  public var versions: String
  public var entries: [Entry]

  public init(number: Int, at: String, reason: String, versions: String, entries: [Entry]) {
    self.number = number
    self.at = at
    self.reason = reason
    self.versions = versions
    self.entries = entries
  }

  /// What is read back: nil when it is damaged, or of a later version of ours.
  public init?(_ bytes: [UInt8]) {
    guard let text = JSONText(parsing: bytes), let value = try? text.decoded(as: Generation.self),
      value.schema == 1
    else { return nil }
    self = value
  }

  /// - Throws: never for what a generation can hold.
  public func text() throws -> String { try JSONText(encoding: self).rendered() + "\n" }
}
