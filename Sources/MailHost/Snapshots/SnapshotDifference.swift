/// How something in a snapshot stands to what is on the host.
public enum SnapshotDifference: String, Sendable {
  /// The same bytes; owner and mode, too.
  case same
  /// The same bytes, with another owner or mode.
  case attributes
  /// It is not on the host.
  case missing
  /// What is on the host is older.
  case older
  /// What is on the host was changed later, or at the same time.
  case newer
  /// A database without tables, as it is made by what opens one that is gone.
  case empty
  /// What is on the host cannot be read.
  case unreadable

  /// Whether what is on the host may be worth more than what is in the snapshot, so that somebody has to name it.
  public var needsWord: Bool { self == .newer || self == .unreadable }
}

/// What is on the host at an entry's place.
public struct PresentEntry: Equatable, Sendable {
  public var kind: SnapshotEntry.Kind
  public var bytes: [UInt8]
  public var target: String
  public var attributes: Generation.Attributes
  /// RFC 3339.
  public var modified: String

  public init(
    kind: SnapshotEntry.Kind, bytes: [UInt8] = [], target: String = "", attributes: Generation.Attributes,
    modified: String
  ) {
    self.kind = kind
    self.bytes = bytes
    self.target = target
    self.attributes = attributes
    self.modified = modified
  }
}

extension SnapshotEntry {
  public func difference(to present: PresentEntry?) -> SnapshotDifference {
    guard let present else { return .missing }
    guard present.kind == kind else { return .unreadable }
    let isSame: Bool =
      switch kind {
      case .file: matches(present.bytes)
      case .link: present.target == target
      case .directory: true
      }
    if isSame {
      var there = present.attributes
      if kind == .directory { there.mode &= 0o777 }
      return kind == .link || there == attributes ? .same : .attributes
    }
    // Timestamps of one form are ordered as texts are.
    return present.modified < modified ? .older : .newer
  }
}
