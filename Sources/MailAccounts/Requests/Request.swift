/// What a verb asks of the database; an import is another matter, see ``ImportStage``.
///
/// Names of what is to be there afterwards are checked types. Names of what is there already are texts as typed: they are looked
/// up exactly, then normalised, then in any case, so that what an older program wrote can be changed and removed.
public enum Request: Sendable {
  case addDomain(DomainName)
  case removeDomain(String)
  /// - Parameter createDomain: adds the domain if it is not there.
  case addUser(EmailAddress, PasswordHash, Limits, isActive: Bool, createDomain: Bool)
  case removeUser(String)
  case setPassword(String, PasswordHash)
  case setActive(String, Bool)
  case setLimits(String, LimitsChange)
  case addAlias(AliasSource, AliasDestinations, createDomain: Bool)
  /// Every destination of this source.
  case removeAlias(String)
  case removeAliasNumber(Int64)
}

/// What a request led to: with a dry run, what it would lead to.
public struct Outcome: Equatable, Sendable {
  /// In the order they were made; empty when everything was so already.
  public var changes: [Change]
  /// What the user should know about it. Nothing failed.
  public var warnings: [Warning]
}

/// Something that was accepted, but is worth a look.
public enum Warning: Equatable, Sendable {
  /// The user was there; nothing about it was changed.
  case userIsThere(email: String)
  /// Dovecot lets nobody in under such a name: why.
  case noLogin(email: String, reason: String)
  /// The alias takes all mail of this user's address away from its mailbox.
  case aliasTakesMail(of: String)
  /// Without its alias to itself the user's mail goes to the catch-all of its domain.
  case catchAllTakesMail(of: String)
  /// Mail to the destination is refused as long as this user is disabled, or send-only.
  case destinationIsDisabled(String)
  case destinationIsSendOnly(String)
  /// The destination is in a domain of this host, and there is neither a user nor an alias of that name.
  case deadEnd(source: String, destination: String)
  /// Aliases still name a user or domain that was removed.
  case stillNamed(String, by: [AliasRecord])
  /// So that the catch-all leaves these users' mail alone, each has an alias to itself.
  case keptFromCatchAll(count: Int, domain: String)
  /// An import has names that an older program stored otherwise than we would; they were kept so.
  case keptAsStored(count: Int)
  /// An import has a user or alias whose domain had been removed: it was left out.
  case leftOut(String)
  /// More warnings of an import.
  case more(Int)
  /// The change is made, but a power cut may take it back: the directory was not synced.
  case notDurable(String)

  public var advice: Advice {
    switch self {
    case .userIsThere(let email):
      "\(email) is there already and was left as it is; its password is changed by \(call: "passwd", email)"
    case .noLogin(let email, let reason): "\(email) cannot log in: \(reason)"
    case .aliasTakesMail(let email):
      "mail to \(email) no longer reaches its own mailbox; \(call: "addalias", email, email) keeps a copy there"
    case .catchAllTakesMail(let email):
      "mail to \(email) now goes to the catch-all; \(call: "addalias", email, email) gives it back its own"
    case .destinationIsDisabled(let email):
      "\(email) is disabled: mail to it is refused until \(call: "enable", email)"
    case .destinationIsSendOnly(let email): "\(email) is send-only: mail to it is refused"
    case .deadEnd(let source, let destination):
      "mail to \(source) goes to \(destination), which is neither a user nor an alias here"
    case .stillNamed(let name, let aliases):
      "\(name) is still the destination of \(Self.sources(aliases)): mail to it is refused"
    case .keptFromCatchAll(let count, let domain):
      "so that the catch-all leaves \(count == 1 ? "the user" : "the \(count) users") of \(domain) alone, each has an alias to itself"
    case .keptAsStored(let count):
      "\(count == 1 ? "a name is" : "\(count) names are") kept as an older program stored it; see \(call: "check")"
    case .leftOut(let name): "\(name) was left out: its domain had been removed"
    case .more(let count): "and \(count) more such"
    case .notDurable(let reason):
      "it is done, but a power cut in the next seconds may take it back: the directory cannot be synced: \(reason)"
    }
  }

  private static func sources(_ aliases: [AliasRecord]) -> String {
    let shown = 20
    let more = aliases.count > shown ? " and \(aliases.count - shown) more" : ""
    return aliases.prefix(shown).map(\.source).joined(separator: ", ") + more
  }
}
