import HostChecks

/// What one look came to.
enum Finding: Equatable {
  /// With what was seen.
  case pass(String)
  /// With what was seen, and what to do about it where that is something special.
  case fail(String, hint: String? = nil)
  /// Why it could not be tried.
  case skip(String)
}

/// Something that a mail host promises, and how it is tried.
struct ProofKind: Sendable {
  let name: ProofName
  /// What to do when it has failed.
  let hint: String
  let look: @Sendable (ProofRun) throws(Silence) -> Finding

  init(
    _ name: ProofName,
    hint: String = "`mailhost plan` shows what differs from the settings, `mailhost apply` puts it right",
    _ look: @escaping @Sendable (ProofRun) throws(Silence) -> Finding
  ) {
    self.name = name
    self.hint = hint
    self.look = look
  }

  /// In the order in which they are tried.
  static let all: [ProofKind] =
    doors + delivery + senders + judgement + lessons + access + abuse
}
