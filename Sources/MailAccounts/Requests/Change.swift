/// One thing that is changed in the database: what verbs and imports come down to, and what `--dry-run` shows.
public enum Change: Equatable, Sendable {
  /// - Parameter id: one that no row names as its domain, also none that a removed domain has left behind.
  case addDomain(name: String, id: Int64)
  /// Puts a name that postfix never looks for into the form that it does.
  case renameDomain(DomainRecord, name: String)
  case removeDomain(DomainRecord)
  /// - Parameter hash: as dovecot reads it, `{SCHEME}…`.
  case addUser(email: String, hash: String, isActive: Bool, limits: Limits)
  case removeUser(UserRecord)
  case setPassword(UserRecord, hash: String)
  case setActive(UserRecord, Bool)
  case setLimits(UserRecord, Limits)
  /// Gives a row the domain that its address is of.
  case moveUser(UserRecord, toDomain: Int64)
  case addAlias(source: String, destination: String)
  case removeAlias(AliasRecord)
  case moveAlias(AliasRecord, toDomain: Int64)

  /// One line with what is added (`+`), removed (`-`) or changed (`~`). Never a password.
  public var line: String {
    switch self {
    case .addDomain(let name, _): "+ domain \(name)"
    case .renameDomain(let domain, let name): "~ domain \(domain.name): now \(name)"
    case .removeDomain(let domain): "- domain \(domain.name)"
    case .addUser(let email, _, let isActive, let limits):
      "+ user \(email)" + (isActive ? "" : " (disabled)") + limits.words.map { " (\($0))" }.joined()
    case .removeUser(let user): "- user \(user.email)"
    case .setPassword(let user, _): "~ user \(user.email): password"
    case .setActive(let user, let isActive): "~ user \(user.email): \(isActive ? "enabled" : "disabled")"
    case .setLimits(let user, let limits):
      "~ user \(user.email): "
        + "\(user.limits.words.joined(separator: ", ").orNone) -> \(limits.words.joined(separator: ", ").orNone)"
    case .moveUser(let user, _): "~ user \(user.email): belongs to its own domain"
    case .addAlias(let source, let destination): "+ alias \(source) -> \(destination)"
    case .removeAlias(let alias): "- alias \(alias.source) -> \(alias.destination)"
    case .moveAlias(let alias, _): "~ alias \(alias.source) -> \(alias.destination): belongs to its own domain"
    }
  }

  public enum Effect: Sendable {
    case addition, change, removal
  }

  public var effect: Effect {
    switch self {
    case .addDomain, .addUser, .addAlias: .addition
    case .removeDomain, .removeUser, .removeAlias: .removal
    case .renameDomain, .setPassword, .setActive, .setLimits, .moveUser, .moveAlias: .change
    }
  }
}

extension Limits {
  /// "send-only", "receive-only", "quota 1073741824", as far as they apply.
  public var words: [String] {
    var words: [String] = []
    switch (receives, sends) {
    case (true, true): break
    case (false, true): words.append("send-only")
    case (true, false): words.append("receive-only")
    case (false, false): words.append("neither sends nor receives")
    }
    if let quota { words.append("quota \(quota)") }
    return words
  }
}

extension String {
  fileprivate var orNone: String { isEmpty ? "no limits" : self }
}
