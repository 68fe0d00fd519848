/// What a verb asks of the database.
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
  /// - Parameter prune: also removes what the import does not have.
  case `import`(AccountSet, prune: Bool)
}

/// What a request led to: with a dry run, what it would lead to.
public struct Outcome: Equatable, Sendable {
  /// In the order they were made; empty when everything was so already.
  public var changes: [Change]
  /// What the user should know about it. Nothing failed.
  public var warnings: [Warning]
}

/// Something that was accepted, but is worth a look.
public enum Warning: Equatable, Sendable, CustomStringConvertible {
  /// The user was there; nothing about it was changed.
  case userIsThere(email: String)
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

  public var description: String {
    switch self {
    case .userIsThere(let email):
      "\(email) is there already and was left as it is; its password is changed by `mailcfg passwd`"
    case .aliasTakesMail(let email):
      "mail to \(email) no longer reaches its own mailbox; `mailcfg addalias \(email) \(email)` keeps a copy there"
    case .catchAllTakesMail(let email):
      "mail to \(email) now goes to the catch-all; `mailcfg addalias \(email) \(email)` gives it back its own"
    case .destinationIsDisabled(let email):
      "\(email) is disabled: mail to it is refused until `mailcfg enable \(email)`"
    case .destinationIsSendOnly(let email): "\(email) is send-only: mail to it is refused"
    case .deadEnd(let source, let destination):
      "mail to \(source) goes to \(destination), which is neither a user nor an alias here"
    case .stillNamed(let name, let aliases):
      "\(name) is still the destination of \(aliases.map(\.source).joined(separator: ", ")): mail to it is refused"
    case .keptFromCatchAll(let count, let domain):
      "so that the catch-all leaves \(count == 1 ? "the user" : "the \(count) users") of \(domain) alone, each has an alias to itself"
    }
  }
}
