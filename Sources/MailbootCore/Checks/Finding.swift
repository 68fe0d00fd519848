/// How bad it is what a check found.
public enum Grade: String, CaseIterable, Codable, Sendable, Comparable {
  /// All is well, or the check does not apply to this host.
  case sound
  /// Somebody should see to it; mail goes on as it should.
  case warning
  /// Starting would lose, bounce or misdeliver mail, let it out unsigned where signing is configured, or show it to others.
  case fatal

  public static func < (left: Grade, right: Grade) -> Bool {
    allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
  }
}

/// What a check found, before severity turns it into a verdict.
public struct Finding: Codable, Equatable, Sendable {
  public var check: CheckName
  public var grade: Grade
  /// The worst that was found; nil when all is well.
  public var kind: FindingKind?
  /// False when the check says itself that there is nothing to look at on this host.
  public var applies: Bool
  /// One line: what was seen ("2 domains, 2 users, 1 alias") or what is wrong.
  public var detail: String
  /// What to do about it; nil when nothing is to be done.
  public var hint: String?

  init(
    _ check: CheckName, grade: Grade, kind: FindingKind?, applies: Bool = true, detail: String, hint: String? = nil
  ) {
    self.check = check
    self.grade = grade
    self.kind = kind
    self.applies = applies
    self.detail = detail
    self.hint = hint
  }

  /// Something is wrong, as bad as its kind.
  public init(_ kind: FindingKind, _ detail: String, hint: String? = nil) {
    self.init(kind.check, grade: kind.grade, kind: kind, detail: detail, hint: hint)
  }

  /// All is well.
  public init(sound check: CheckName, _ detail: String) {
    self.init(check, grade: .sound, kind: nil, detail: detail)
  }

  /// There is nothing of the kind on this host.
  public init(inapplicable check: CheckName, _ detail: String) {
    self.init(check, grade: .sound, kind: nil, applies: false, detail: detail)
  }

  /// Nobody could look: nothing is known to be wrong, and nothing to be right.
  public init(notMade check: CheckName, _ detail: String, hint: String? = nil) {
    self.init(check, grade: .fatal, kind: nil, detail: detail, hint: hint)
  }

  public var sound: Bool { grade == .sound }
}
